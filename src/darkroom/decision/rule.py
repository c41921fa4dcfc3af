"""From the probabilities of a network to an answer: calibrated, with a set of classes that keeps a promise.

Only NumPy is imported: the rule goes with each served model.
"""

from dataclasses import dataclass, replace

import numpy as np

SMALLEST = 1e-30  # a probability that float32 has rounded to 0
SLACK = 1e-6  # of the threshold: another batch size or processor changes the last digits of a probability


@dataclass(frozen=True)
class Rule:
    """What `evaluate` has found on validation, and every answer applies.

    `temperature` divides the logits; `level` is the promised share of right sets; a class is in the set when its
    calibrated probability is at least `threshold` (0: all classes are, because validation is too small). `thresholds`
    are pairs of a level and its threshold for promises that a request may ask for instead, levels rising.
    """

    temperature: float
    level: float
    threshold: float
    thresholds: tuple[tuple[float, float], ...] = ()

    def at(self, level: float) -> "Rule":
        """Return the rule with sets for another `level`, or for the next higher one that validation has measured."""
        if level == self.level:
            return self
        kept = (threshold for known, threshold in self.thresholds if known >= level)
        return replace(self, level=level, threshold=next(kept, 0.0))

    def calibrate(self, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities (n, classes) float32 with the logits divided by the temperature, in their order.

        C. Guo et al., On calibration of modern neural networks, 2017 (arXiv:1706.04599). The logarithm of a
        probability is its logit but for a constant, so the mean answer of several networks can be calibrated too.
        """
        logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / self.temperature
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)

    def sets(self, calibrated: np.ndarray) -> np.ndarray:
        """Return which classes each set holds, (n, classes) bool.

        Least ambiguous sets: M. Sadinle, J. Lei, L. Wasserman, 2019 (arXiv:1609.00451). A set may be empty: no class
        is as probable as right answers usually are.
        """
        return np.asarray(calibrated >= np.float32(self.threshold * (1 - SLACK)))
