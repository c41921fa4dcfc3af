"""The scores of a split with intervals, from one set of draws for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darkroom.scoring.bootstrap import DRAWS_AT_ONCE, Resamples, group_weights
from darkroom.scoring.class_counts import count_scores, counts_by_group, ratio
from darkroom.scoring.intervals import percentile_interval, share_interval
from darkroom.scoring.ranking import Ranking, rank_classes

SHARES = (  # shares of the pictures, or like one: 1 is perfect, 0 is none right or chance
    *("accuracy", "balanced_accuracy", "top_3_accuracy", "cohen_kappa", "mcc"),
    *(f"{name}_{average}" for name in ("precision", "recall", "f1") for average in ("macro", "weighted")),
)
RANKED = ("roc_auc", "average_precision")
LOSSES = ("log_loss", "brier")  # lower is better, and 0 is perfect
RANKED_WORK = 2e9  # pictures x classes x draws; beyond, these two scores have fewer draws, DRAWS_AT_ONCE at least


@dataclass(frozen=True)
class Scores:
    """What `score_with_intervals` finds: `values` by name, and `intervals` [low, high] at 95 % by the same names."""

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class WeightedScores:
    """The scores of pictures whose groups have weights, from sums over each group.

    `counts` as of `counts_by_group`, `means` the sums (groups,) of what is averaged over pictures, `ranking` that of
    the second class when there are two, else of all.
    """

    counts: Any
    means: dict[str, np.ndarray]
    ranking: Ranking

    def scores(self, weights: np.ndarray, ranked: bool = True) -> dict[str, np.ndarray]:
        """Return each score (draws,) under weights (groups, draws) float64; ROC AUC and AP only when `ranked`."""
        counts = (self.counts @ weights).reshape(3, -1, weights.shape[1])
        pictures = self.ranking.sizes @ weights
        found = count_scores(counts) | {name: sums @ weights / pictures for name, sums in self.means.items()}
        if ranked:
            found |= dict(zip(RANKED, _mean_over_classes(self.ranking.scores(weights)), strict=True))
        return found


def score_with_intervals(
    labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, draws: int = 2000, seed: int = 0
) -> Scores:
    """Return the scores of `darkroom.examples.metrics.score` and more, each with its 95 % interval.

    `labels` (n,) int, `probabilities` (n, classes) float32, `groups` (n,): pictures that are drawn together.
    More are balanced accuracy, top-3 accuracy (of more than three classes), average precision, Brier score (mean over
    pictures of the sum over classes of the squared error), Cohen's kappa and Matthews' coefficient. ROC AUC and average
    precision are of the second class when there are two, else the mean of each class against the rest; draws in which
    they are undefined are left out, and both are NaN, with NaN as interval, when one class is all there is. The
    intervals of SHARES are those of `intervals.share_interval`, with the variance of the draws; of the others (ROC AUC,
    average precision, log loss, Brier score) the quantiles of the draws. Macro F1 of few pictures a class is lower in
    a draw than in what is drawn from, and in this than in the population: its interval is moved by that difference.
    """
    resamples = group_weights(groups, draws, seed)
    weighted = weighted_scores(labels, probabilities, resamples)
    values = {name: float(value[0]) for name, value in weighted.scores(resamples.as_it_is()).items()}
    mixed = _mixed_groups(probabilities.argmax(axis=1) == labels, resamples)
    blocks = blocks_within_reason(probabilities)
    parts = [weighted.scores(weights, number < blocks) for number, weights in enumerate(resamples.blocks())]
    intervals = {}
    for name, value in values.items():
        drawn = np.concatenate([part[name] for part in parts if name in part])
        low, high = _interval(name, value, drawn, resamples.count, mixed)
        intervals[name] = (float(low), float(high))
    return Scores(values, intervals)


def blocks_within_reason(probabilities: np.ndarray) -> int:
    """Return how many blocks of draws the scores of RANKED get with so many probabilities (n, classes)."""
    return max(1, int(RANKED_WORK / probabilities.size / DRAWS_AT_ONCE))


def _interval(name: str, value: float, drawn: np.ndarray, groups: int, mixed: int) -> np.ndarray:
    if not (name in SHARES and 0 <= value <= 1):
        return percentile_interval(drawn)
    centre = float(np.clip(2 * value - np.nanmean(drawn), 0, 1)) if name == "f1_macro" and 0 < value < 1 else value
    low, high = share_interval(np.array(centre), drawn, np.array(groups), np.array(mixed))
    return np.array([min(low, value), max(high, value)])


def _mixed_groups(correct: np.ndarray, resamples: Resamples) -> int:
    """Return how many groups have a wrong answer, or a right one, whichever are fewer."""
    return min(int((resamples.sums(each) > 0).sum()) for each in (correct.astype(np.float64), 1.0 - correct))


def weighted_scores(labels: np.ndarray, probabilities: np.ndarray, resamples: Resamples) -> WeightedScores:
    """Return what the scores of labels (n,) and probabilities (n, classes) under weights are calculated from."""
    classes = probabilities.shape[1]
    counts = counts_by_group(labels, probabilities.argmax(axis=1), classes, resamples)
    columns: Sequence[int] = [1] if classes == 2 else range(classes)
    means = {name: resamples.sums(each) for name, each in _averaged(labels, probabilities).items()}
    return WeightedScores(counts, means, rank_classes(labels, probabilities, columns, resamples))


def _averaged(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """What is averaged over pictures, (n,) float64 each; of equals the last counts as first, as in scikit-learn."""
    truth = probabilities[np.arange(len(labels)), labels]
    total = probabilities.sum(axis=1, dtype=np.float64)
    share = truth / total
    squares = np.einsum("ij,ij->i", probabilities, probabilities, dtype=np.float64) / total**2
    found = {
        "log_loss": -np.log(np.clip(share, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)),
        "brier": np.maximum(squares - 2 * share + 1, 0),
    }
    if probabilities.shape[1] > 3:
        later = np.arange(probabilities.shape[1]) > labels[:, None]
        ahead = (probabilities > truth[:, None]) | (later & (probabilities == truth[:, None]))
        found["top_3_accuracy"] = (ahead.sum(axis=1) < 3).astype(np.float64)
    return found


def _mean_over_classes(scores: np.ndarray) -> np.ndarray:
    """The mean (2, draws) over the classes that have a score (2, classes, draws)."""
    known = np.isfinite(scores)
    return ratio(np.where(known, scores, 0).sum(axis=1), known.sum(axis=1))
