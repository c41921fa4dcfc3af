"""Two models on the same pictures."""

from itertools import islice

import numpy as np

from darkroom.scoring.bootstrap import Resamples, group_weights
from darkroom.scoring.intervals import DEVIATIONS, FEW, percentile_interval
from darkroom.scoring.scores import RANKED, WeightedScores, blocks_within_reason, weighted_scores


def paired_difference(
    correct: np.ndarray, other_correct: np.ndarray, groups: np.ndarray, draws: int = 2000, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Return the accuracy of a model less that of another, and its paired 95 % interval.

    `correct` and `other_correct` (n,) bool are about the same pictures, `groups` (n,) says which are drawn together.
    Half a picture is added to either side, so that no interval is a point: A. Agresti, Y. Min, Simple improved
    confidence intervals for comparing matched proportions, 2005. How many pictures count as independent follows from
    the variance of the draws; where few groups differ, mostly from the number of groups (`intervals.share_interval`).
    """
    gain = correct.astype(np.float64) - other_correct
    resamples = group_weights(groups, draws, seed)
    gains, sizes = resamples.sums(gain), resamples.sums(np.ones(len(gain)))
    drawn = np.concatenate([(gains @ weights) / (sizes @ weights) for weights in resamples.blocks()])
    changed, difference = float(np.abs(gain).mean()), float(gain.mean())
    spread = changed - difference**2
    whole, mixed = max(spread / resamples.count, float(drawn.var())), int((gains != 0).sum())
    variance = (mixed * float(drawn.var()) + FEW * whole) / (mixed + FEW)
    trials = spread / variance if variance else resamples.count
    centre, sides = difference * trials / (trials + 2), (changed * trials + 1) / (trials + 2)
    half = DEVIATIONS * float(np.sqrt((sides - centre**2) / (trials + 2)))
    return difference, (max(centre - half, -1.0), min(centre + half, 1.0))


def mcnemar(correct: np.ndarray, other_correct: np.ndarray) -> float:
    """Return the exact two-sided p that two models are equally accurate, from the pictures that one alone has right.

    `correct` and `other_correct` (n,) bool. Q. McNemar, Note on the sampling error of the difference between correlated
    proportions, 1947. Each picture counts as independent, whatever its group. 1 when both are right on the same ones.
    """
    from scipy.stats import binomtest

    gained, lost = int((correct & ~other_correct).sum()), int((other_correct & ~correct).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def metric_difference(
    metric: str,
    labels: np.ndarray,
    probabilities: np.ndarray,
    other: np.ndarray,
    groups: np.ndarray,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, tuple[float, float]]:
    """Return a score of a model less that of another on the same pictures, and the paired 95 % interval.

    `metric` is one of `scoring.scores`; `labels` (n,) int, `probabilities` and `other` (n, classes) float of the two,
    `groups` (n,): pictures that are drawn together. Of accuracy see `paired_difference`; of other metrics the interval
    has the quantiles of the differences in the draws, of which both models get the same: B. Efron, R. Tibshirani, An
    introduction to the bootstrap, 1993. NaN where the score of either is not defined.
    """
    if metric == "accuracy":
        correct, other_correct = (each.argmax(axis=1) == labels for each in (probabilities, other))
        return paired_difference(correct, other_correct, groups, draws, seed)
    resamples = group_weights(groups, draws, seed)
    both = [weighted_scores(labels, each, resamples) for each in (probabilities, other)]
    return _resampled_difference(metric, both, resamples, blocks_within_reason(probabilities))


def _resampled_difference(
    metric: str, both: list[WeightedScores], resamples: Resamples, reasonable: int
) -> tuple[float, tuple[float, float]]:
    """Return the difference and its interval; a metric that ranks the pictures gets `reasonable` blocks of draws."""
    ranked = metric in RANKED

    def difference(weights: np.ndarray) -> np.ndarray:
        score, other_score = (each.scores(weights, ranked)[metric] for each in both)
        return np.asarray(score - other_score)

    blocks = islice(resamples.blocks(), reasonable if ranked else None)
    low, high = percentile_interval(np.concatenate([difference(weights) for weights in blocks]))
    return float(difference(resamples.as_it_is())[0]), (float(low), float(high))
