"""The metrics that choose a model, and which direction is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as search and gate use it."""

    lower_is_better: bool = False


METRICS = {
    "accuracy": Metric(),
    "precision_macro": Metric(),
    "precision_weighted": Metric(),
    "recall_macro": Metric(),
    "recall_weighted": Metric(),
    "f1_macro": Metric(),
    "f1_weighted": Metric(),
    "roc_auc": Metric(),
    "log_loss": Metric(lower_is_better=True),
}
