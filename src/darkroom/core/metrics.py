"""The metrics that choose a model: what a sentence calls them, and which direction is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as search, comparison and gate use it."""

    name: str
    lower_is_better: bool = False


METRICS = {
    "accuracy": Metric("accuracy"),
    "precision_macro": Metric("macro precision"),
    "precision_weighted": Metric("weighted precision"),
    "recall_macro": Metric("macro recall"),
    "recall_weighted": Metric("weighted recall"),
    "f1_macro": Metric("macro F1"),
    "f1_weighted": Metric("weighted F1"),
    "roc_auc": Metric("ROC AUC"),
    "log_loss": Metric("log loss", lower_is_better=True),
}
