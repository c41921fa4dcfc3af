"""Charts of the distribution of facts about the pictures."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.pages.axes import Ticks, log_ticks, round_ticks
from darkroom.pages.charts import histogram, size_map, stacked_bar
from darkroom.pages.elements import Bar

BINS = 40
VALUES = 8  # bars at most of one fact, such as the format
BARS = {"format": "Format", "mode": "Mode", "orientation": "Orientation (EXIF)", "palette": "Colours of the palette"}
SCALES = {  # fact -> title, unit
    "brightness": ("Brightness", "mean luma, 0 black to 1 white"),
    "contrast": ("Contrast", "standard deviation of luma, 0 to 0.5"),
    "entropy": ("Information", "entropy, 0 to 8 bits per pixel"),
}
POWERS: Ticks = [  # in the order in which they are chosen as ticks
    (factor * 10**power, f"{factor * 10**power:,}") for factor in (1, 3, 2, 5) for power in range(8)
]
RATIOS = ((1, 1), (2, 1), (1, 2), (4, 1), (1, 4), (3, 2), (2, 3), (4, 3), (3, 4), (3, 1), (1, 3), (8, 1), (1, 8))
SHAPES: Ticks = [(width / height, f"{width}:{height}") for width, height in RATIOS]


def fact_charts(pictures: pd.DataFrame) -> list[Markup]:
    """Return the charts of sizes, aspect ratios and the facts about pixels that are known and differ."""
    width, height, sharpness = (_numbers(pictures[name]) for name in ("width", "height", "sharpness"))
    charts = [] if _same(width) and _same(height) else [size_map(width, height, "Width and height")]
    if not _same(width / height):
        charts.append(_log_histogram(width / height, "Shape", "width to height", SHAPES))
    for name, (title, unit) in SCALES.items():
        values = _numbers(pictures[name])
        if not _same(values):
            charts.append(_histogram(values, title, unit))
    if not _same(sharpness):
        charts.append(_log_histogram(np.maximum(sharpness, 1), "Sharpness", "variance of the Laplacian", POWERS))
    return charts


def fact_bars(pictures: pd.DataFrame) -> dict[str, list[Bar]]:
    """Return title -> bars, one for each of the most frequent values, of the facts in which pictures differ."""
    return {title: _value_bars(pictures[name]) for name, title in BARS.items() if pictures[name].nunique() > 1}


def _histogram(values: np.ndarray, title: str, unit: str) -> Markup:
    """Return a histogram that the range of `values` fills, with round ticks."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ticks = [(value, text) for value, text in round_ticks(low, high) if low <= value <= high]
    return histogram(values, np.linspace(low, high, BINS + 1), title, unit, ticks)


def _log_histogram(values: np.ndarray, title: str, unit: str, named: Ticks) -> Markup:
    """Return a histogram of the logarithms of `values`, with ticks at some of `named`."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    edges = np.linspace(np.log2(low), np.log2(high), BINS + 1)
    return histogram(np.log2(values), edges, title, unit, log_ticks(low, high, named))


def _same(values: np.ndarray) -> bool:
    """Return whether there is nothing to draw: at most one value that is known."""
    known = values[np.isfinite(values)]
    return len(known) == 0 or bool(known.min() == known.max())


def _numbers(column: pd.Series) -> np.ndarray:
    return column.to_numpy(float, na_value=np.nan)


def _value_bars(values: pd.Series) -> list[Bar]:
    """Return a bar for each of the most frequent values."""
    counts = values.value_counts()
    counts = counts.set_axis(counts.index.astype("str")).sort_index().sort_values(ascending=False, kind="stable")
    top = counts.head(VALUES)
    rows = [(str(name), int(count)) for name, count in top.items()]
    if len(counts) > VALUES:
        rows.append((f"{len(counts) - VALUES} more", int(counts.iloc[VALUES:].sum())))
    largest = max((count for _, count in rows), default=0)
    total = max(int(counts.sum()), 1)
    return [
        Bar(name, stacked_bar([("mark", count)], largest), f"{count:,} ({100 * count / total:.3g} %)")
        for name, count in rows
    ]
