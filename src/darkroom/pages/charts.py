"""Small charts as inline SVG. Every mark has a `<title>`; colours come from the page's style sheet."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from darkroom.pages.axes import BOTTOM, LEFT, RIGHT, TOP, Ticks, frame, log_ticks, places, round_ticks

CELLS = 24  # of a heat map, per axis
SIDES: Ticks = [(2**power, f"{2**power:,}") for power in range(15)]  # pixels


def stacked_bar(parts: Sequence[tuple[str, int]], largest: int) -> Markup:
    """Return one horizontal bar; `parts` are (name, count), a total of `largest` fills the width."""
    rects, start = Markup(""), 0.0
    for name, count in parts:
        width = 100 * count / max(largest, 1)
        rects += (
            Markup(
                '<rect class="{}" x="{:.3f}%" y="0" width="{:.3f}%" height="100%"><title>{}: {:,}</title></rect>'
            ).format(name, start, width, name, count)
            if count
            else Markup("")
        )
        start += width
    text = ", ".join(f"{name} {count:,}" for name, count in parts if count)
    return Markup('<svg class="bar" role="img" aria-label="{}">{}</svg>').format(text, rects)


def histogram(values: np.ndarray, edges: np.ndarray, title: str, unit: str, ticks: Ticks) -> Markup:
    """Return a histogram of `values` (float; NaN is ignored) with the bin `edges`; outliers count in the outer bins.

    `ticks` are (value, text) along the horizontal axis, which `unit` labels.
    """
    values = values[np.isfinite(values)]
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    largest = max(int(counts.max()), 1)
    heights = round_ticks(0, largest, min(4, largest))
    step, marks = (RIGHT - LEFT) / len(counts), Markup("")
    mark = Markup(
        '<rect class="mark" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{:,} pictures</title></rect>'
    )
    for number in np.flatnonzero(counts).tolist():
        height = max((BOTTOM - TOP) * counts[number] / heights[-1][0], 1.5)  # one among thousands stays visible
        marks += mark.format(LEFT + number * step + 0.5, BOTTOM - height, step - 1, height, counts[number])
    x_places = places(ticks, edges[0], edges[-1], LEFT, RIGHT)
    y_places = places(heights, 0, heights[-1][0], BOTTOM, TOP)
    return frame(title, (unit, "pictures"), x_places, y_places, marks, f"{len(values):,} pictures")


def size_map(widths: np.ndarray, heights: np.ndarray, title: str) -> Markup:
    """Return a heat map of widths and heights (pixels); both axes are logarithmic with the same range."""
    smallest, largest = min(widths.min(), heights.min()) * 0.9, max(widths.max(), heights.max()) * 1.1
    low, high = np.log2(smallest), np.log2(largest)
    edges = np.linspace(low, high, CELLS + 1)
    counts = np.histogram2d(np.log2(widths), np.log2(heights), (edges, edges))[0].astype(int)
    step_x, step_y = (RIGHT - LEFT) / CELLS, (BOTTOM - TOP) / CELLS
    marks = Markup("")
    for column, row in np.argwhere(counts):
        sides = [f"{2 ** edges[cell]:.0f} to {2 ** edges[cell + 1]:.0f}" for cell in (column, row)]
        marks += Markup(
            '<rect class="mark" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" fill-opacity="{:.3f}">'
            "<title>{:,} pictures, {} wide, {} high</title></rect>"
        ).format(
            *(LEFT + column * step_x, BOTTOM - (row + 1) * step_y, step_x, step_y),
            *(0.25 + 0.75 * np.sqrt(counts[column, row] / counts.max()), counts[column, row], *sides),
        )
    ticks = log_ticks(smallest, largest, SIDES)
    x_places, y_places = places(ticks, low, high, LEFT, RIGHT), places(ticks, low, high, BOTTOM, TOP)
    labels = ("width, pixels", "height, pixels")
    return frame(title, labels, x_places, y_places, marks, f"{len(widths):,} pictures")
