"""The metrics that choose a model: which direction is better, and the score of a model that diverged."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as search and gate use it; `worst` is the score of a model that diverged."""

    lower_is_better: bool = False
    worst: float = 0.0


METRICS = {
    "accuracy": Metric(),
    "precision_macro": Metric(),
    "precision_weighted": Metric(),
    "recall_macro": Metric(),
    "recall_weighted": Metric(),
    "f1_macro": Metric(),
    "f1_weighted": Metric(),
    "roc_auc": Metric(),
    "log_loss": Metric(lower_is_better=True, worst=math.inf),
}
