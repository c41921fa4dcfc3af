"""What the charts with two axes share: round ticks, places in the plot area, the frame around it."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 400, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 388, 44, 232  # of the plot area
APART = 1 / 8  # of the axis, at least, between two ticks

Ticks = Sequence[tuple[float, str]]


def round_ticks(low: float, high: float, count: int = 5) -> list[tuple[float, str]]:
    """Return about `count` evenly spaced round values, from one at or below `low` to one at or above `high`."""
    rough = (high - low or abs(high) or 1.0) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    numbers = np.arange(first, max(last, first + 1) + 1)
    return [(float(number * step), f"{round(number * step, 12):,.10g}") for number in numbers]


def log_ticks(low: float, high: float, named: Ticks) -> list[tuple[float, str]]:
    """Return ticks in log2, the most important of `named` (value, text) first, that are between `low` and `high`.

    Where fewer than two of `named` are, evenly spaced round values are returned instead.
    """
    inside = [(value, text) for value, text in named if low <= value <= high]
    if len(inside) < 2:
        inside = [(value, text) for value, text in round_ticks(low, high, 4) if low <= value <= high]
    span, chosen = np.log2(high / low), list[tuple[float, str]]()
    for value, text in inside:
        place = float(np.log2(value))
        if all(abs(place - other) >= APART * span for other, _ in chosen):
            chosen.append((place, text))
    return sorted(chosen)


def scaled(values: np.ndarray, low: float, high: float, start: float, end: float) -> np.ndarray:
    """Return the places of `values` on an axis from `low` to `high`, drawn from `start` to `end`; clipped."""
    return start + (end - start) * np.clip((np.asarray(values, float) - low) / (high - low), 0, 1)


def places(ticks: Ticks, low: float, high: float, start: float, end: float) -> list[tuple[float, str]]:
    """Return the ticks with their places on an axis in place of their values."""
    numbers = scaled(np.array([value for value, _ in ticks]), low, high, start, end).tolist()
    return list(zip(numbers, (text for _, text in ticks), strict=True))


def frame(title: str, labels: tuple[str, str], x_places: Ticks, y_places: Ticks, marks: Markup, summary: str) -> Markup:
    """Return the chart of `marks`: title, labels of both axes, their ticks (at places), a summary to be read aloud."""
    row = Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>')
    column = Markup(
        '<path class="grid" d="M{0:.1f} {1}V{2}"/><text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
    )
    start = Markup(
        '<svg class="chart" viewBox="0 0 {0} {1}" role="img" aria-label="{2}: {3}">'
        '<text class="title" x="0" y="13">{2}</text><text x="0" y="31">{4}</text>'
    ).format(WIDTH, HEIGHT, title, summary, labels[1])
    grid = [row.format(LEFT, y, RIGHT, LEFT - 6, y + 4, text) for y, text in y_places]
    grid += [column.format(x, TOP, BOTTOM, BOTTOM + 17, text) for x, text in x_places]
    axis = Markup('<path class="axis" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="middle">{}</text></svg>')
    end = axis.format(LEFT, BOTTOM, RIGHT, (LEFT + RIGHT) / 2, BOTTOM + 38, labels[0])
    return Markup("").join([start, *grid, marks, end])
