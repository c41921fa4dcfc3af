"""ROC AUC and average precision of weighted pictures, exact with ties, from one sorting of each class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darkroom.scoring.bootstrap import Resamples
from darkroom.scoring.class_counts import ratio

BETWEEN, TIED, POSITIVE = range(3)  # a picture of another class above a threshold, or at it; one of the class at it


@dataclass(frozen=True)
class Ranking:
    """The pictures of each group at the thresholds of each class: the probabilities that its own pictures have.

    `sums` (3 * thresholds, groups), sparse, has the thresholds of one class after another, falling; `starts` (classes
    + 1,) says where each class begins; `sizes` (groups,) are the pictures of each group.
    """

    sums: Any
    starts: np.ndarray
    sizes: np.ndarray

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Return ROC AUC and average precision (2, classes, draws), each class against the rest.

        `weights` (groups, draws) float64. NaN where the class, or every other one, has no weight.
        """
        sums = (self.sums @ weights).reshape(-1, 3, weights.shape[1])
        pictures = self.sizes @ weights
        return np.stack([_scores(part, pictures) for part in self._by_class(sums)], axis=1)

    def _by_class(self, sums: np.ndarray) -> Iterator[np.ndarray]:
        return (sums[start:stop] for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True))


def rank_classes(
    labels: np.ndarray, probabilities: np.ndarray, columns: Sequence[int], resamples: Resamples
) -> Ranking:
    """Return the ranking of the classes in `columns`, of labels (n,) int and probabilities (n, classes)."""
    from scipy.sparse import csr_matrix

    rows, groups, starts = [], [], [0]
    for column in columns:
        row, thresholds = _threshold_rows(labels == column, probabilities[:, column])
        kept = row >= 0
        rows.append((row[kept] + 3 * starts[-1]).astype(np.int32))
        groups.append(resamples.group[kept].astype(np.int32))
        starts.append(starts[-1] + thresholds)
    found, members = np.concatenate(rows), np.concatenate(groups)
    sums = csr_matrix((np.ones(len(found)), (found, members)), shape=(3 * starts[-1], resamples.count))
    return Ranking(sums, np.array(starts), resamples.sums(np.ones(len(labels))))


def _threshold_rows(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, int]:
    """The row (n,) of each picture, -1 below the lowest threshold, where it changes nothing; and the thresholds."""
    levels = np.unique(scores[truth])
    level = np.searchsorted(levels, scores, side="right") - 1  # the highest threshold that the picture reaches
    if not len(levels):
        return level, 0
    tied = levels[level] == scores
    kind = np.where(truth, POSITIVE, np.where(tied, TIED, BETWEEN))
    return np.where(level < 0, -1, 3 * (len(levels) - 1 - level) + kind), len(levels)


def _scores(sums: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """ROC AUC and average precision (2, draws), from sums (thresholds, 3, draws) and all pictures (draws,)."""
    if not len(sums):
        return np.full((2, len(pictures)), np.nan)
    positive, tied = sums[:, POSITIVE], sums[:, TIED]
    true, false = np.cumsum(positive, axis=0), np.cumsum(sums[:, BETWEEN] + tied, axis=0)
    positives, negatives = true[-1], pictures - true[-1]
    outranked = (positive * (negatives - false + tied / 2)).sum(axis=0)
    reached = true + false
    precision = np.divide(true, reached, out=np.zeros_like(true), where=reached > 0)
    average = ratio((positive * precision).sum(axis=0), positives)
    return np.stack([ratio(outranked, positives * negatives), np.where(negatives > 0, average, np.nan)])
