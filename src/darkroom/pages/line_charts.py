"""Charts of curves, confusion matrices and intervals as inline SVG; colours come from the page's style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 388, 44, 250  # of the plot area
POINTS = 300  # of a curve, at most; more are thinned out
DOTS = 40  # a curve of at most so many points shows each of them
NUMBERS = 25  # classes up to which a matrix shows its counts
LABEL = 18  # characters of a class name in a matrix, at most

Ticks = Sequence[tuple[float, str]]
SHARES: Ticks = [(share, f"{share:g}") for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]


@dataclass(frozen=True)
class Line:
    """A curve through (x, y), float arrays of one length, perhaps with a band from `low` to `high`.

    `tone` names its colour: "train", "validation", "test", "dropped", "mark", "good", "warn", "bad", one of "c0" to
    "c7" where several curves are of equal rank, or "reference": grey and dashed, such as the diagonal of a reliability
    diagram. A point with a value that is not finite is left out.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    tone: str
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def round_ticks(low: float, high: float, count: int = 5) -> list[tuple[float, str]]:
    """Return about `count` evenly spaced round values, from one at or below `low` to one at or above `high`."""
    rough = (high - low or abs(high) or 1.0) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    numbers = np.arange(
        np.floor(low / step + 1e-9), max(np.ceil(high / step - 1e-9), np.floor(low / step + 1e-9) + 1) + 1
    )
    return [(float(number * step), f"{round(number * step, 12):,.10g}") for number in numbers]


def line_chart(
    lines: Sequence[Line], title: str, x_label: str, y_label: str, x_ticks: Ticks = SHARES, y_ticks: Ticks = SHARES
) -> Markup:
    """Return the curves with axes and a legend; the axes run from the first to the last tick, beyond it is clipped."""
    marks = Markup("").join(_curve(line, x_ticks, y_ticks) for line in lines)
    names = ", ".join(line.name for line in lines)
    head = Markup(
        '<div class="plot"><svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">'
        '<text class="title" x="0" y="13">{}</text><text x="0" y="31">{}</text>'
    ).format(WIDTH, HEIGHT, title, names, title, y_label)
    foot = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text></svg>').format(
        (LEFT + RIGHT) / 2, BOTTOM + 38, x_label
    )
    key = Markup('<span><i class="line {}"></i>{}</span>')
    keys = Markup("").join(key.format(line.tone, line.name) for line in lines)
    return head + _grid(x_ticks, y_ticks) + marks + foot + Markup('<p class="legend">{}</p></div>').format(keys)


def _curve(line: Line, x_ticks: Ticks, y_ticks: Ticks) -> Markup:
    known = np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.y))
    if len(known) > POINTS:
        known = known[np.unique(np.linspace(0, len(known) - 1, POINTS).round().astype(int))]
    x, y = _scaled(line.x[known], x_ticks, LEFT, RIGHT), _scaled(line.y[known], y_ticks, BOTTOM, TOP)
    marks = Markup("")
    if line.low is not None and line.high is not None:
        edge = [_scaled(side[known], y_ticks, BOTTOM, TOP) for side in (line.low, line.high)]
        outline = _points(np.concatenate([x, x[::-1]]), np.concatenate([edge[0], edge[1][::-1]]))
        marks += Markup('<polygon class="band {}" points="{}"/>').format(line.tone, outline)
    curve = Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>')
    marks += curve.format(line.tone, _points(x, y), line.name)
    if len(known) > DOTS or line.tone == "reference":
        return marks
    dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}: {:.4g}, {:.4g}</title></circle>')
    values = zip(x, y, line.x[known], line.y[known], strict=True)
    return marks + Markup("").join(dot.format(line.tone, cx, cy, line.name, *pair) for cx, cy, *pair in values)


def _grid(x_ticks: Ticks, y_ticks: Ticks) -> Markup:
    """Return the lines at the ticks with their texts."""
    row = Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>')
    column = Markup('<path class="grid" d="M{:.1f} {}V{}"/><text x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
    ys = zip(_scaled(np.array([value for value, _ in y_ticks]), y_ticks, BOTTOM, TOP), y_ticks, strict=True)
    xs = zip(_scaled(np.array([value for value, _ in x_ticks]), x_ticks, LEFT, RIGHT), x_ticks, strict=True)
    return Markup("").join(
        [row.format(LEFT, y, RIGHT, LEFT - 6, y + 4, text) for y, (_, text) in ys]
        + [column.format(x, TOP, BOTTOM, x, BOTTOM + 17, text) for x, (_, text) in xs]
    )


def _scaled(values: np.ndarray, ticks: Ticks, start: float, end: float) -> np.ndarray:
    low, high = ticks[0][0], ticks[-1][0]
    return start + (end - start) * np.clip((np.asarray(values, float) - low) / (high - low), 0, 1)


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def matrix_chart(names: Sequence[str], counts: np.ndarray, title: str) -> Markup:
    """Return a confusion matrix of 1 to 100 classes: `counts` (n, n) int, row: the actual, column: the predicted class.

    The colour is the root of the row's share, so that rare mistakes show too; up to 25 classes have numbers.
    """
    cell = _cell_side(len(names), len(f"{counts.max(initial=0)}"))
    font = min(12, cell)
    short = [name if len(name) <= LABEL else f"{name[: LABEL - 1]}…" for name in names]
    margin = 12 + round(0.62 * font * max(map(len, short)))
    side = margin + cell * len(names) + 2
    head = Markup(
        '<div class="plot"><p><b>{0}</b> <small>rows: actual, columns: predicted</small></p><div class="scroll">'
        '<svg class="matrix" width="{1}" height="{1}" font-size="{2}" role="img" aria-label="{0}: {3} classes">'
        '<rect class="empty" x="{4}" y="{4}" width="{5}" height="{5}"/>'
    ).format(title, side, font, len(names), margin, cell * len(names))
    label = Markup(
        '<text x="{0}" y="{1:.1f}" text-anchor="end">{3}<title>{4}</title></text>'
        '<text transform="translate({2:.1f} {0}) rotate(-90)">{3}<title>{4}</title></text>'
    )
    places = [margin + (number + 0.5) * cell + 0.35 * font for number in range(len(names))]
    marks = [label.format(margin - 6, place, place, *pair) for place, *pair in zip(places, short, names, strict=True)]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, column in np.argwhere(counts):
        place = Markup('<g transform="translate({} {})">').format(margin + column * cell, margin + row * cell)
        text = f"{names[row]}, predicted {names[column]}: {counts[row, column]:,} ({shares[row, column]:.1%})"
        number = int(counts[row, column]) if len(names) <= NUMBERS else None
        marks.append(place + _cell(cell, float(shares[row, column]), bool(row == column), text, number))
    return head + Markup("").join(marks) + Markup("</svg></div></div>")


def _cell_side(classes: int, digits: int) -> int:
    """Return the side of a cell, pixels."""
    if classes <= NUMBERS:
        return max(44 if classes <= 10 else 30, 7 * digits + 8)
    return 16 if classes <= 50 else 9


def _cell(side: int, share: float, right: bool, text: str, number: int | None) -> Markup:
    opacity = 0.12 + 0.88 * share**0.5
    tone = "right" if right else "wrong"
    mark = Markup('<rect class="{0}" width="{1}" height="{1}" fill-opacity="{2:.2f}"><title>{3}</title></rect>')
    drawing = mark.format(tone, side - 1, opacity, text)
    if number is not None:
        words = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        drawing += words.format("on" if opacity > 0.6 else "off", side / 2, side / 2 + 4, number)
    return drawing + Markup("</g>")


def interval_bars(
    rows: Sequence[tuple[str, float, float, float, str]], title: str, mean: float | None = None
) -> Markup:
    """Return a table with a dot and whiskers for each (name, value, low, high, text); values and intervals in 0-1.

    All rows share one scale, which covers the intervals only; `mean` is drawn as a line through all of them.
    """
    values = [number for row in rows for number in row[1:4]] + ([] if mean is None else [mean])
    ticks = round_ticks(min(values, default=0.0), max(values, default=1.0))
    body = Markup("").join(
        Markup('<tr><th scope="row"><bdi title="{0}">{0}</bdi></th><td>{1}</td><td>{2}</td></tr>').format(
            name, _whiskers(f"{name}: {text}", np.array([value, low, high]), ticks, mean), text
        )
        for name, value, low, high, text in rows
    )
    places = zip(_scaled(np.array([value for value, _ in ticks]), ticks, 2, 98), ticks, strict=True)
    tick = Markup('<text x="{:.1f}%" y="12" text-anchor="middle">{}</text>')
    axis = Markup("").join(tick.format(x, text) for x, (_, text) in places)
    return Markup(
        '<table class="bars intervals"><caption>{}</caption><tbody>{}</tbody>'
        '<tfoot><tr><th></th><td><svg class="bar" aria-hidden="true">{}</svg></td><td></td></tr></tfoot></table>'
    ).format(title, body, axis)


def _whiskers(text: str, numbers: np.ndarray, ticks: Ticks, mean: float | None) -> Markup:
    """Return the drawing of a row; `numbers` are the value and the ends of its interval."""
    value, low, high = _scaled(numbers, ticks, 2, 98)
    line = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}%" y2="{}%"/>')
    marks = line.format("track", 2, 98, 50, 50)
    if mean is not None:
        place = float(_scaled(np.array(mean), ticks, 2, 98))
        marks += line.format("mean", place, place, 0, 100)
    marks += line.format("whisker", low, high, 50, 50)
    dot = Markup('<circle class="dot" cx="{:.2f}%" cy="50%" r="4.5"/>').format(value)
    svg = Markup('<svg class="bar" role="img" aria-label="{0}"><title>{0}</title>{1}</svg>')
    return svg.format(text, marks + dot)
