"""Curves over all thresholds: ROC, precision against recall, accuracy against coverage."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.files import write_value
from darkroom.evaluation_page.content import Curve, Curves
from darkroom.examples.predictions import Predictions

POINTS = 101  # of a curve that is saved or drawn


def class_curves(predictions: Predictions) -> Curves:
    """Return ROC and precision-recall curves of each class that occurs against the rest; of two classes the second's.

    The mean curves (macro) are taken over the classes at fixed false positive rates and recalls.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    labels, probabilities, names = predictions.labels, predictions.probabilities, predictions.classes
    present = np.unique(labels)
    columns = [] if len(present) < 2 else [1] if len(names) == 2 else present.tolist()
    roc, precision_recall = {}, {}
    grid = np.linspace(0, 1, POINTS)
    for column in columns:
        false, true, _ = roc_curve(labels == column, probabilities[:, column])
        precision, recall, _ = precision_recall_curve(labels == column, probabilities[:, column])
        roc[names[column]] = grid, _at(grid, false, true)
        precision_recall[names[column]] = grid, np.interp(grid, recall[::-1], precision[::-1])
    return Curves(roc, precision_recall, _mean(roc), _mean(precision_recall))


def _at(grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the highest y that a rising curve has at each x of the grid; a step up counts as reached."""
    last = np.searchsorted(x, grid, side="right") - 1
    return np.asarray(np.maximum(np.interp(grid, x, y), y[last]))


def _mean(curves: Mapping[str, Curve]) -> Curve | None:
    if len(curves) < 2:
        return None
    grid = next(iter(curves.values()))[0]
    return grid, np.mean([y for _, y in curves.values()], axis=0)


def answered_curve(confidence: np.ndarray, correct: np.ndarray) -> Curve:
    """Return the accuracy (y) of each share (x) of the most confident answers, both (points,)."""
    order = np.argsort(-confidence, kind="stable")
    count = len(order)
    chosen = np.unique(np.linspace(max(1, count // POINTS), count, min(POINTS, count)).astype(int))
    return chosen / count, np.cumsum(correct[order])[chosen - 1] / chosen


def curve_table(curves: Mapping[str, Curve], mean: Curve | None, x: str) -> pd.DataFrame:
    """Return a row for each point: the column `x`, the mean curve as `mean`, then one column for each class."""
    if not curves:
        return pd.DataFrame({x: [], "mean": []})
    grid, first = next(iter(curves.values()))
    columns = {f"class {name}": y for name, (_, y) in curves.items()}
    return pd.DataFrame({x: grid, "mean": first if mean is None else mean[1], **columns})


def write_curves(folder: Path, curves: Curves, reliability: pd.DataFrame) -> None:
    """Write roc.csv, precision_recall.csv and reliability.csv to `folder`, which is made."""
    folder.mkdir(parents=True)
    roc = curve_table(curves.roc, curves.roc_macro, "false_positive_rate")
    recall = curve_table(curves.precision_recall, curves.precision_recall_macro, "recall")
    for name, table in {"roc": roc, "precision_recall": recall, "reliability": reliability}.items():
        write_value(folder / f"{name}.csv", table, ".csv")
