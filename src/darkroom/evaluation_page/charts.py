"""The charts of the evaluation page."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.evaluation_page.content import Calibration, Curve, Curves
from darkroom.evaluation_page.texts import number, percent, sentence_case
from darkroom.pages.axes import round_ticks
from darkroom.pages.dot_rows import DotRow, dot_rows
from darkroom.pages.line_charts import SHARES, Line, line_chart

COLOURS = 7  # curves of classes at most; more could not be told apart
SLICES = 12  # values of one column at most
MEASURES = {"f1": "F1", "recall": "Recall", "precision": "Precision"}


def class_charts(classes: pd.DataFrame, macro: Mapping[str, float | None]) -> list[Markup]:
    """Return F1, recall and precision of each class with intervals, the weakest F1 first; a line marks the mean.

    A measure that is the same for all classes has no chart.
    """
    weakest = classes[classes["support"] > 0].sort_values(["f1", "class"], kind="stable")
    charts = []
    for measure, title in MEASURES.items():
        table = weakest[["class", measure, f"{measure}_low", f"{measure}_high"]].dropna(subset=[measure])
        rows = [_row(row, number(row[1])) for row in table.itertuples(index=False)]
        if table[measure].nunique() > 1:
            charts.append(dot_rows(rows, title, line=macro.get(f"{measure}_macro")))
    return charts


def _row(row: tuple[str, float, float, float], text: str) -> DotRow:
    """Return the row of a name, a value and the ends of its interval, which may be missing."""
    name, value, low, high = row
    interval = None if pd.isna(low) or pd.isna(high) else (float(low), float(high))
    return DotRow(str(name), text, float(value), interval)


def curve_charts(curves: Curves, order: list[str]) -> list[Markup]:
    """Return ROC and precision against recall of the first classes of `order`, the weakest first."""
    chance = Line("chance", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "reference")
    roc = [chance, *_curves(curves.roc, curves.roc_macro, order)]
    precision = _curves(curves.precision_recall, curves.precision_recall_macro, order)
    return [
        line_chart(roc, "ROC", "false positive rate", "true positive rate"),
        line_chart(precision, "Precision and recall", "recall", "precision"),
    ]


def _curves(of_class: Mapping[str, Curve], macro: Curve | None, order: list[str]) -> list[Line]:
    shown = [name for name in order if name in of_class][:COLOURS]
    lines = [Line(name, *of_class[name], f"c{place + 1}") for place, name in enumerate(shown)]
    return lines if macro is None else [*lines, Line("mean of all classes", *macro, "mark")]


def calibration_charts(calibration: Calibration) -> list[Markup]:
    """Return the reliability diagram and the accuracy of the most confident answers."""
    bins = calibration.reliability
    ideal = Line("calibrated", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "reference")
    columns = (bins[name].to_numpy(float) for name in ("confidence", "accuracy", "low", "high"))
    confidence, accuracy, low, high = columns
    lines = [ideal, Line("test, 95 % interval", confidence, accuracy, "test", low, high)]
    share, right = calibration.answered
    ticks = round_ticks(float(np.nanmin(right)), 1.0)
    line = Line("test", share, right, "test")
    title = "When the least confident are left unanswered"
    return [
        line_chart(lines, "Reliability", "probability of the answer", "share of right answers"),
        line_chart([line], title, "share that is answered", "accuracy of the answers", SHARES, ticks),
    ]


def slice_charts(slices: pd.DataFrame, accuracy: float | None) -> tuple[Markup | None, list[Markup]]:
    """Return the significantly worse slices, and a chart of each column with its values; the line is `accuracy`."""
    worse = slices[slices["worse"]].sort_values("accuracy", kind="stable")
    names = worse["slice"].astype(str) + ": " + worse["value"].astype(str)
    chart = _slice_chart(worse.assign(value=names), "Significantly worse than the rest", accuracy)
    groups = slices.groupby("slice", sort=False)
    charts = [_slice_chart(rows, sentence_case(name), accuracy) for name, rows in groups]
    return chart if len(worse) else None, charts


def _slice_chart(rows: pd.DataFrame, title: str, accuracy: float | None) -> Markup:
    columns = ["value", "accuracy", "low", "high"]
    shown = rows.head(SLICES)
    texts = [f"{percent(right)} of {size:,}" for right, size in shown[["accuracy", "pictures"]].itertuples(index=False)]
    drawn = [_row(row, text) for row, text in zip(shown[columns].itertuples(index=False), texts, strict=True)]
    more = f" (the first {SLICES} of {len(rows)})" if len(rows) > SLICES else ""
    return dot_rows(drawn, title + more, line=accuracy)


def learning_charts(history: pd.DataFrame) -> list[Markup]:
    """Return loss and accuracy by epoch; of several networks the mean, with a band from the lowest to the highest."""
    first, last = float(history["epoch"].min()), float(history["epoch"].max())
    x_ticks = round_ticks(first, last)
    charts = []
    for name, about in (("loss", "lower is better"), ("accuracy", "share of right answers")):
        columns = {name: ("train, augmented", "train"), f"validation_{name}": ("validation", "validation")}
        lines = [_epochs(history, column, *words) for column, words in columns.items()]
        values = history[list(columns)].to_numpy(float)
        y_ticks = round_ticks(float(np.nanmin(values)), float(np.nanmax(values)))
        if history["network"].nunique() == 1:
            kept = history["epoch"][history["kept"]].to_numpy(float).repeat(2)
            lines.append(Line("kept", kept, np.array([y_ticks[0][0], y_ticks[-1][0]]), "reference"))
        charts.append(line_chart(lines, name.capitalize(), "epoch", about, x_ticks, y_ticks))
    return charts


def _epochs(history: pd.DataFrame, column: str, title: str, tone: str) -> Line:
    table = history.groupby("epoch")[column].agg(["mean", "min", "max"]).sort_index()
    mean, low, high = (table[name].to_numpy(float) for name in ("mean", "min", "max"))
    numbers = table.index.to_numpy(float)
    if history["network"].nunique() == 1:
        return Line(title, numbers, mean, tone)
    return Line(title, numbers, mean, tone, low, high)


def kept_epochs(history: pd.DataFrame) -> str:
    """Return which epochs are kept, of how many networks."""
    networks, last = history["network"].nunique(), history["epoch"].max()
    kept = ", ".join(history[history["kept"]].sort_values("network")["epoch"].astype(str))
    if networks == 1:
        return f"Epoch {kept} of {last} is kept."
    return (
        f"The mean of {networks} networks, with a band from the lowest to the highest; kept epochs: {kept} of {last}."
    )
