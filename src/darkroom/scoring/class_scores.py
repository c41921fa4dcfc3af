"""The scores of each class with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from darkroom.scoring.bootstrap import Resamples, group_weights
from darkroom.scoring.class_counts import counts_by_group, precision_recall_f1
from darkroom.scoring.intervals import share_interval
from darkroom.scoring.ranking import rank_classes

NAMES = ("precision", "recall", "f1")


def class_scores(
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray,
    classes: Sequence[str],
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a row for each class: its precision, recall and F1 with 95 % intervals, ROC AUC and average precision.

    The columns: class, precision, precision_low, precision_high, the same of recall and f1, roc_auc, average_precision,
    support (pictures). `labels` (n,) int, `probabilities` (n, classes) float32, `groups` (n,): pictures that are drawn
    together. Precision, recall and F1 that are undefined are 0 with NaN as interval; draws in which they are undefined
    are left out. The intervals are those of `intervals.share_interval`.
    """
    resamples = group_weights(groups, draws, seed)
    counts = counts_by_group(labels, probabilities.argmax(axis=1), len(classes), resamples)
    values = np.nan_to_num(_class_values(counts, resamples.as_it_is())[..., 0])
    intervals = _intervals(values, counts, resamples)
    table: dict[str, Any] = {"class": list(classes)}
    for name, value, interval in zip(NAMES, values, intervals, strict=True):
        table |= {name: value, f"{name}_low": interval[:, 0], f"{name}_high": interval[:, 1]}
    ranking = rank_classes(labels, probabilities, range(len(classes)), resamples)
    ranked = ranking.scores(resamples.as_it_is())[..., 0]
    table |= dict(zip(("roc_auc", "average_precision"), ranked, strict=True))
    return pd.DataFrame(table | {"support": np.bincount(labels, minlength=len(classes))})


def _intervals(values: np.ndarray, counts: Any, resamples: Resamples) -> np.ndarray:
    """The intervals (3, classes, 2) of values (3, classes)."""
    drawn = np.concatenate([_class_values(counts, weights) for weights in resamples.blocks()], axis=-1)
    hits, predicted, support = (counts[rows] for rows in np.split(np.arange(counts.shape[0]), 3))
    parts = (predicted, support, predicted + support)
    groups = np.stack([part.getnnz(axis=1) for part in parts])
    wrong = [
        np.asarray((part > share * hits).sum(axis=1)).ravel() for part, share in zip(parts, (1, 1, 2), strict=True)
    ]
    mixed = np.minimum(np.stack(wrong), hits.getnnz(axis=1))
    found = share_interval(values, drawn, groups, mixed)
    found[2] = np.where((values[2] == 0)[:, None] | (values[2] == 1)[:, None], _of_f1(found[2]), found[2])
    return found


def _class_values(counts: Any, weights: np.ndarray) -> np.ndarray:
    return precision_recall_f1((counts @ weights).reshape(3, -1, weights.shape[1]))


def _of_f1(found: np.ndarray) -> np.ndarray:
    """The interval of an F1 of 0 or 1, from that of the share of hits among all that are predicted or there.

    F1 rises with this share j as 2 j / (1 + j).
    """
    return np.asarray(2 * found / (1 + found))
