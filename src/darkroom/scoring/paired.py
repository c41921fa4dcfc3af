"""Two models on the same pictures."""

import numpy as np

from darkroom.scoring.bootstrap import group_weights
from darkroom.scoring.intervals import TAIL, percentile_interval


def paired_difference(
    correct: np.ndarray, other_correct: np.ndarray, groups: np.ndarray, draws: int = 2000, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Return the accuracy of a model less that of another, and its paired 95 % interval.

    `correct` and `other_correct` (n,) bool are about the same pictures, `groups` (n,) says which are drawn together.
    Where each picture has the same difference all draws are the same: the interval then says how large the share of
    other pictures can be, by Clopper-Pearson on as many trials as there are groups.
    """
    gain = correct.astype(np.float64) - other_correct
    resamples = group_weights(groups, draws, seed)
    difference = float(gain.mean())
    if (gain == gain[0]).all():
        others = float(1 - TAIL ** (1 / resamples.count))
        return difference, (difference - others * (difference + 1), difference + others * (1 - difference))
    gains, sizes = resamples.sums(gain), resamples.sums(np.ones(len(gain)))
    drawn = np.concatenate([(gains @ weights) / (sizes @ weights) for weights in resamples.blocks()])
    low, high = percentile_interval(drawn)
    return difference, (float(low), float(high))


def mcnemar(correct: np.ndarray, other_correct: np.ndarray) -> float:
    """Return the exact two-sided p that two models are equally accurate, from the pictures that one alone has right.

    `correct` and `other_correct` (n,) bool. Q. McNemar, Note on the sampling error of the difference between correlated
    proportions, 1947. Each picture counts as independent, whatever its group. 1 when both are right on the same ones.
    """
    from scipy.stats import binomtest

    gained, lost = int((correct & ~other_correct).sum()), int((other_correct & ~correct).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
