"""Charts of curves and confusion matrices as inline SVG; colours come from the page's style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from darkroom.pages.axes import BOTTOM, LEFT, RIGHT, TOP, Ticks, frame, places, scaled

POINTS = 300  # of a curve, at most; more are thinned out
DOTS = 40  # a curve of at most so many points shows each of them
NUMBERS = 25  # classes up to which a matrix shows its counts
LABEL = 18  # characters of a class name in a matrix, at most

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


def line_chart(
    lines: Sequence[Line], title: str, x_label: str, y_label: str, x_ticks: Ticks = SHARES, y_ticks: Ticks = SHARES
) -> Markup:
    """Return the curves with axes and a legend; the axes run from the first to the last tick, beyond it is clipped."""
    x_range, y_range = ((ticks[0][0], ticks[-1][0]) for ticks in (x_ticks, y_ticks))
    marks = Markup("").join(_curve(line, x_range, y_range) for line in lines)
    x_places, y_places = places(x_ticks, *x_range, LEFT, RIGHT), places(y_ticks, *y_range, BOTTOM, TOP)
    names = ", ".join(line.name for line in lines)
    chart = frame(title, (x_label, y_label), x_places, y_places, marks, names)
    key = Markup('<span><i class="line {}"></i>{}</span>')
    keys = Markup("").join(key.format(line.tone, line.name) for line in lines)
    return Markup('<div class="plot">{}<p class="legend">{}</p></div>').format(chart, keys)


def _curve(line: Line, x_range: tuple[float, float], y_range: tuple[float, float]) -> Markup:
    band = [side for side in (line.low, line.high) if side is not None]
    known = np.flatnonzero(np.isfinite([line.x, line.y, *band]).all(axis=0))
    if len(known) > POINTS:
        known = known[np.unique(np.linspace(0, len(known) - 1, POINTS).round().astype(int))]
    x, y = scaled(line.x[known], *x_range, LEFT, RIGHT), scaled(line.y[known], *y_range, BOTTOM, TOP)
    marks = Markup("")
    if len(band) == 2:
        low, high = (scaled(side[known], *y_range, BOTTOM, TOP) for side in band)
        outline = _points(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
        marks += Markup('<polygon class="band {}" points="{}"/>').format(line.tone, outline)
    curve = Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>')
    marks += curve.format(line.tone, _points(x, y), line.name)
    if len(known) > DOTS or line.tone == "reference":
        return marks
    dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}: {:.4g}, {:.4g}</title></circle>')
    values = zip(x, y, line.x[known], line.y[known], strict=True)
    return marks + Markup("").join(dot.format(line.tone, cx, cy, line.name, *pair) for cx, cy, *pair in values)


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def matrix_chart(names: Sequence[str], counts: np.ndarray, title: str) -> Markup:
    """Return a confusion matrix of 1 to 100 classes: `counts` (n, n) int, row: the actual, column: the predicted class.

    The colour is the root of the row's share, so that rare mistakes show too; up to 25 classes have numbers.
    """
    cell = _cell_side(len(names), len(f"{counts.max(initial=0)}"))
    font = min(12, cell)
    margin = 12 + round(0.62 * font * min(LABEL, max(map(len, names))))
    size = cell * len(names)
    head = Markup(
        '<div class="plot"><p><b>{0}</b> <small>rows: actual, columns: predicted</small></p><div class="scroll">'
        '<svg class="matrix" width="{1}" height="{1}" font-size="{2}" role="img" aria-label="{0}: {3} classes">'
        '<rect class="empty" x="{4}" y="{4}" width="{5}" height="{5}"/>'
    ).format(title, margin + size, font, len(names), margin, size)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    marks = [_class_label(name, margin, number, cell, font) for number, name in enumerate(names)]
    for row, column in np.argwhere(counts).tolist():
        share, count = float(shares[row, column]), int(counts[row, column])
        text = f"{names[row]}, predicted {names[column]}: {count:,} ({share:.1%})"
        tone, number = "right" if row == column else "wrong", f"{count}" if len(names) <= NUMBERS else ""
        marks.append(_cell(margin + column * cell, margin + row * cell, cell, share, tone, text, number))
    return head + Markup("").join(marks) + Markup("</svg></div></div>")


def _cell_side(classes: int, digits: int) -> int:
    """Return the side of a cell, pixels."""
    if classes <= NUMBERS:
        return max(44 if classes <= 6 else 30, 7 * digits + 8)
    return 16 if classes <= 50 else 9


def _class_label(name: str, margin: int, number: int, cell: int, font: int) -> Markup:
    """Return the name of a class before its row and above its column, there upright only where it fits."""
    short = name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"
    middle = margin + (number + 0.5) * cell
    fits = 0.62 * font * len(short) < cell
    above = 'x="{1:.1f}" y="{0}" text-anchor="middle"' if fits else 'transform="translate({2:.1f} {0}) rotate(-90)"'
    label = (
        f'<text x="{{0}}" y="{{2:.1f}}" text-anchor="end">{{3}}<title>{{4}}</title></text><text {above}>{{3}}</text>'
    )
    return Markup(label).format(margin - 6, middle, middle + 0.35 * font, short, name)


def _cell(x: int, y: int, side: int, share: float, tone: str, text: str, number: str) -> Markup:
    opacity = 0.12 + 0.88 * share**0.5
    mark = Markup(
        '<rect class="{0}" x="{1}" y="{2}" width="{3}" height="{3}" fill-opacity="{4:.2f}"><title>{5}</title></rect>'
    )
    words = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>') if number else Markup("")
    on = "on" if opacity > 0.6 else "off"
    return mark.format(tone, x, y, side - 1, opacity, text) + words.format(on, x + side / 2, y + side / 2 + 4, number)
