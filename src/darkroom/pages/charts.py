"""Small charts as inline SVG. Every mark has a `<title>`; colours come from the page's style sheet."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 400, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 380, 34, 210  # of the plot area
CELLS = 24  # of a heat map, per axis

Ticks = Sequence[tuple[float, str]]


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
    step, top = (RIGHT - LEFT) / len(counts), max(int(counts.max()), 1)
    marks = Markup("")
    for number, count in enumerate(counts):
        height = (BOTTOM - TOP) * count / top
        if count:
            height = max(height, 1.5)  # one picture among thousands stays visible
            marks += Markup(
                '<rect class="mark" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
            ).format(LEFT + number * step + 0.5, BOTTOM - height, step - 1, height, f"{count:,} pictures")
    low, span = edges[0], edges[-1] - edges[0]
    places = [(LEFT + (RIGHT - LEFT) * (value - low) / span, text) for value, text in ticks]
    return _frame(marks + _y_axis([(TOP, f"{top:,}"), (BOTTOM, "0")]), places, title, unit, f"{len(values):,} pictures")


def size_map(widths: np.ndarray, heights: np.ndarray, title: str) -> Markup:
    """Return a heat map of widths and heights (pixels); both axes are logarithmic with the same range."""
    low, high = np.log2(min(widths.min(), heights.min()) * 0.9), np.log2(max(widths.max(), heights.max()) * 1.1)
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
    shares = [((np.log2(side) - low) / (high - low), f"{side:,}") for side in _round_sides(low, high)]
    marks += _y_axis([(BOTTOM - (BOTTOM - TOP) * share, text) for share, text in shares])
    places = [(LEFT + (RIGHT - LEFT) * share, text) for share, text in shares]
    return _frame(marks, places, title, "width, pixels (vertical: height, pixels)", f"{len(widths):,} pictures")


def _round_sides(low: float, high: float) -> list[int]:
    """Return up to six powers of two between 2**low and 2**high, or else the middle."""
    powers = list(range(int(np.ceil(low)), int(np.floor(high)) + 1))
    if not powers:
        return [round(2 ** ((low + high) / 2))]
    return [2**power for power in powers[:: -(-len(powers) // 6)]]


def _y_axis(ticks: Ticks) -> Markup:
    text = Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>')
    return Markup("").join(text.format(LEFT - 6, place + 4, label) for place, label in ticks)


def _x_axis(ticks: Ticks) -> Markup:
    tick = Markup(
        '<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
        '<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
    )
    return Markup("").join(tick.format(x, BOTTOM, BOTTOM + 4, BOTTOM + 18, label) for x, label in ticks)


def _frame(marks: Markup, ticks: Ticks, title: str, unit: str, summary: str) -> Markup:
    """Return the chart with its title, horizontal axis and the text for screen readers."""
    start = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">')
    heading = Markup('<text class="title" x="0" y="13">{}</text>').format(title)
    axis = Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, BOTTOM, RIGHT)
    label = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text></svg>')
    return Markup("").join(
        [
            start.format(WIDTH, HEIGHT, title, summary),
            *(heading, marks, axis, _x_axis(ticks)),
            label.format((LEFT + RIGHT) / 2, BOTTOM + 40, unit),
        ]
    )
