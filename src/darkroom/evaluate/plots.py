"""Plots of the results, as PNG."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from darkroom.evaluation_page.content import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2f6db5", "#d9772b", "#9a9a9a"
MAX_NUMBERED = 25  # classes; with more, the numbers in the cells would be unreadable


def draw_plots(
    folder: Path, history: pd.DataFrame, confusion: pd.DataFrame, curves: Curves, reliability: pd.DataFrame
) -> None:
    """Write PNGs of the learning curves, the confusion matrix, ROC and precision-recall curves, and reliability."""
    from matplotlib import style

    folder.mkdir(parents=True, exist_ok=True)
    # not the user's own style, which would change the bytes; and a label like $5 is not a formula
    with style.context(["default", {"text.parse_math": False}]):
        _save(learning_curves(history), folder / "learning_curves.png")
        _save(confusion_matrix(confusion), folder / "confusion_matrix.png")
        _save(threshold_curves(curves), folder / "roc_and_precision_recall.png")
        _save(reliability_diagram(reliability), folder / "reliability.png")


def threshold_curves(curves: Curves) -> "Figure":
    """Return the ROC and precision-recall curves, each class in grey and their mean in blue."""
    figure, axes = _figure(1, 2, (10, 4.2))
    both = ((curves.roc, curves.roc_macro), (curves.precision_recall, curves.precision_recall_macro))
    names = (("false positive rate", "true positive rate"), ("recall", "precision"))
    for axis, (classes, mean), (x, y) in zip(axes, both, names, strict=True):
        for curve in classes.values():
            axis.plot(*curve, color=GREY if mean else BLUE, linewidth=0.8 if mean else 1.8)
        if mean:
            axis.plot(*mean, color=BLUE, linewidth=1.8, label="mean of the classes")
            axis.legend(frameon=False)
        axis.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return figure


def reliability_diagram(reliability: pd.DataFrame) -> "Figure":
    """Return the accuracy of the answers of each confidence, with 95 % intervals, beside the diagonal."""
    figure, axis = _figure(1, 1, (4.6, 4.4))
    below, above = (reliability["accuracy"] - reliability["low"], reliability["high"] - reliability["accuracy"])
    spread = [below.clip(lower=0), above.clip(lower=0)]  # rounding can make them negative
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfectly calibrated")
    axis.errorbar(reliability["confidence"], reliability["accuracy"], spread, color=BLUE, marker="o", capsize=2)
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axis.legend(frameon=False)
    return figure


def learning_curves(history: pd.DataFrame) -> "Figure":
    """Return loss and accuracy on train and validation by epoch: a line for each network, its kept epoch marked."""
    figure, axes = _figure(1, 2, (10, 3.8))
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        for number, rows in history.groupby("network"):
            kept = int(rows["epoch"][rows["kept"]].iloc[0])
            in_legend = number == 1
            axis.plot(rows["epoch"], rows[name], color=BLUE, label="train (augmented)" if in_legend else None)
            axis.plot(
                rows["epoch"], rows[f"validation_{name}"], color=ORANGE, label="validation" if in_legend else None
            )
            axis.axvline(kept, color=GREY, linestyle=":", label=f"kept epoch: {kept}" if in_legend else None)
        axis.set(xlabel="epoch", title=name)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend(frameon=False)
    return figure


def draw_rates(table: pd.DataFrame, suggested: float, path: Path) -> None:
    """Write a PNG of the loss against the learning rate (one row per step), the suggested rate marked."""
    figure, axis = _figure(1, 1, (7, 4))
    axis.semilogx(table["learning_rate"], table["loss"], color=BLUE)
    axis.axvline(suggested, color=GREY, linestyle=":", label=f"suggested: {suggested:.2g}")
    axis.set(xlabel="learning rate", ylabel="smoothed loss", ylim=(0, float(table["loss"].iloc[0]) * 1.5))
    axis.legend(frameon=False)
    _save(figure, path)


def confusion_matrix(confusion: pd.DataFrame) -> "Figure":
    """Return the confusion matrix of the test split, each row coloured by its shares."""
    table = confusion.pivot(index="actual", columns="predicted", values="pictures")
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3 + 0.45 * len(table), 16)
    figure, axis = _figure(1, 1, (side + 1, side))
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of the actual class")
    axis.set(xlabel="predicted", ylabel="actual", title="test pictures")
    axis.set_xticks(range(len(table)), table.columns, rotation=90 if _long(table.columns) else 0)
    axis.set_yticks(range(len(table)), table.index)
    if len(table) <= MAX_NUMBERED:
        _number_cells(axis, counts, shares)
    return figure


def _number_cells(axis: "Axes", counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)


def _long(names: "pd.Index[str]") -> bool:
    return max(len(str(name)) for name in names) > 3


def _figure(rows: int, columns: int, size: tuple[float, float]) -> "tuple[Figure, Any]":
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained")
    return figure, axes


def _save(figure: "Figure", path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
