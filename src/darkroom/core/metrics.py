"""The metrics that choose a model: which direction is better, and the score of a model that diverged."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as search and gate use it; `worst` is the score of a model that diverged."""

    lower_is_better: bool = False
    worst: float = 0.0

    def is_better(self, score: float, other: float) -> bool:
        """Return whether `score` is better than `other`."""
        return score < other if self.lower_is_better else score > other


METRICS = {
    "accuracy": Metric(),
    "f1_macro": Metric(),
    "roc_auc": Metric(),
    "log_loss": Metric(lower_is_better=True, worst=math.inf),
}
