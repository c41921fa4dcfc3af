"""Scores that follow from counts: of each class those who are hit, predicted and there."""

from typing import Any

import numpy as np

from darkroom.scoring.bootstrap import Resamples


def counts_by_group(labels: np.ndarray, predicted: np.ndarray, classes: int, resamples: Resamples) -> Any:
    """Return a sparse matrix (3 * classes, groups) float64: pictures hit, predicted, and of the class.

    `labels` and `predicted` are (n,) int. The matrix times weights (groups, draws), reshaped to (3, classes, draws),
    are the counts in each draw.
    """
    from scipy.sparse import csr_matrix

    hits = labels == predicted
    rows = np.concatenate([labels[hits], classes + predicted, 2 * classes + labels])
    columns = np.concatenate([resamples.group[hits], resamples.group, resamples.group])
    return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(3 * classes, resamples.count))


def precision_recall_f1(counts: np.ndarray) -> np.ndarray:
    """Return precision, recall and F1 (3, classes, draws) from counts of that shape; NaN where undefined."""
    hits, predicted, support = counts
    return np.stack([ratio(hits, predicted), ratio(hits, support), ratio(2 * hits, predicted + support)])


def count_scores(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores (draws,) that follow from counts (3, classes, draws), each as scikit-learn has it.

    What is undefined for a class counts as 0. A macro average is over the classes that occur in the draw, as labels or
    as predictions; balanced accuracy over those that occur as labels.
    """
    hits, predicted, support = counts
    occurs, pictures = predicted + support > 0, support.sum(axis=0)
    values = np.nan_to_num(precision_recall_f1(counts))
    scores = {
        "accuracy": ratio(hits.sum(axis=0), pictures),
        "balanced_accuracy": ratio(values[1].sum(axis=0), (support > 0).sum(axis=0)),
    }
    for name, value in zip(("precision", "recall", "f1"), values, strict=True):
        scores[f"{name}_macro"] = ratio(value.sum(axis=0), occurs.sum(axis=0))
        scores[f"{name}_weighted"] = ratio((value * support).sum(axis=0), pictures)
    return scores | _beyond_chance(hits.sum(axis=0), predicted, support)


def _beyond_chance(hits: np.ndarray, predicted: np.ndarray, support: np.ndarray) -> dict[str, np.ndarray]:
    """Cohen's kappa, NaN when all is of one class, and Matthews' coefficient, then 0: J. Gorodkin, 2004."""
    square = support.sum(axis=0) ** 2
    by_chance = (predicted * support).sum(axis=0)
    covariance = hits * support.sum(axis=0) - by_chance
    spread = (square - (predicted**2).sum(axis=0)) * (square - (support**2).sum(axis=0))
    return {
        "cohen_kappa": ratio(covariance, square - by_chance),
        "mcc": np.nan_to_num(ratio(covariance, np.sqrt(np.maximum(spread, 0)))),
    }


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, float64, NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0))
