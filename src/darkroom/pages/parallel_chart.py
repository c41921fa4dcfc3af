"""Parallel coordinates as inline SVG: an axis for each key, a line for each row; wide ones scroll."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

SPACING = 116  # pixels between two axes
LEFT, TOP, HEIGHT, UNUSED = 46, 52, 240, 26  # pixels; UNUSED: below the axis, for rows without a value
NAME, TEXT = 26, 12  # characters of an axis's name and of a tick's, at most


@dataclass(frozen=True)
class Dimension:
    """An axis: its name, the place of each row on it (n,) float from 0 to 1 (NaN: none), and its ticks by place."""

    name: str
    places: np.ndarray
    ticks: Sequence[tuple[float, str]]


def parallel_chart(
    dimensions: Sequence[Dimension], shades: np.ndarray, texts: Sequence[str], chosen: int | None, title: str
) -> Markup:
    """Return the chart; `shades` (n,) float from 0, faint, to 1, and `texts` are those of the rows.

    The row `chosen` (its position) is drawn last, in a colour of its own.
    """
    across = LEFT + SPACING * np.arange(len(dimensions))
    down = np.array([TOP + HEIGHT * (1 - dimension.places) for dimension in dimensions])
    down = np.where(np.isfinite(down), down, TOP + HEIGHT + UNUSED).reshape(len(dimensions), -1)
    order = [*np.argsort(shades, kind="stable").tolist()]
    if chosen is not None:
        order = [row for row in order if row != chosen] + [chosen]
    marks = [_row(across, down[:, row], shades[row], texts[row], row == chosen) for row in order]
    axes = [_axis(dimension, number, across[number]) for number, dimension in enumerate(dimensions)]
    width, height = LEFT + SPACING * (len(dimensions) - 1) + 120, TOP + HEIGHT + UNUSED + 10
    return Markup(
        '<div class="plot"><p><b>{0}</b></p><div class="scroll"><svg class="parallel" width="{1}" height="{2}" '
        'viewBox="0 0 {1} {2}" role="img" aria-label="{0}: {3} rows, {4} axes">{5}</svg></div></div>'
    ).format(title, width, height, len(texts), len(dimensions), Markup("").join([*marks, *axes]))


def _row(across: np.ndarray, down: np.ndarray, shade: float, text: str, chosen: bool) -> Markup:
    points = " ".join(f"{x:.0f},{y:.1f}" for x, y in zip(across, down, strict=True))
    line = '<polyline class="line {}" style="stroke-opacity:{:.2f}" points="{}"><title>{}</title></polyline>'
    return Markup(line).format("warn" if chosen else "mark", 1 if chosen else 0.06 + 0.6 * shade**2, points, text)


def _axis(dimension: Dimension, number: int, x: float) -> Markup:
    """Return an axis; names stand in two rows by turns, so that long ones have room."""
    line = Markup('<path class="axis" d="M{0:.0f} {1}V{2}"/>').format(x, TOP, TOP + HEIGHT)
    name = Markup('<text class="name" x="{:.0f}" y="{}">{}<title>{}</title></text>')
    head = name.format(x - 36, 14 + 18 * (number % 2), shortened(dimension.name, NAME), dimension.name)
    tick = Markup('<text x="{:.0f}" y="{:.1f}">{}<title>{}</title></text>')
    ticks = [
        tick.format(x + 5, TOP + HEIGHT * (1 - place) + 4, shortened(text, TEXT), text)
        for place, text in dimension.ticks
    ]
    if not np.isfinite(dimension.places).all():
        ticks.append(tick.format(x + 5, TOP + HEIGHT + UNUSED + 4, "not used", "rows without a value"))
    return Markup("").join([line, head, *ticks])


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters, its middle left out: both ends of a list tell it from others."""
    if len(text) <= most:
        return text
    return f"{text[: (most - 1) // 2].rstrip()}…{text[-(most - 1 - (most - 1) // 2) :].lstrip()}"
