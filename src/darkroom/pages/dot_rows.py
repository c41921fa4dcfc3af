"""Rows of dots on one scale: of each group all values, or their mean with its interval, or both."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from darkroom.pages.scales import Scale, linear_scale

START, END = 2, 98  # per cent of the width
MIDDLE, ABOVE, BELOW = 50, 38, 72  # per cent of a row's height
STEP, HIGHEST = 10, 5  # per cent from a dot to the next above it; dots that stand on each other
LINE = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}%" y2="{}%"/>')
DOT = Markup('<circle class="{}" cx="{:.2f}%" cy="{}%" r="{}"/>')
TITLED = Markup('<circle class="dot value" cx="{:.2f}%" cy="{}%" r="4"><title>{}</title></circle>')


@dataclass(frozen=True)
class DotRow:
    """A group: its name, a text for all of it, the `mean` or another middle with the ends of its interval.

    `values` are (n,) float with a text for each, `ring` is one more value, with which they are compared. `tone` names
    the colour of the mean: "good", "bad" or "" for none. What is None or empty is not drawn.
    """

    name: str
    text: str
    mean: float | None = None
    interval: tuple[float, float] | None = None
    values: Sequence[float] | np.ndarray = ()
    texts: Sequence[str] = ()
    ring: float | None = None
    tone: str = ""

    @property
    def numbers(self) -> list[float]:
        """All that is drawn of it."""
        return [number for number in (*self.values, *(self.interval or ()), self.mean, self.ring) if number is not None]


def dot_rows(rows: Sequence[DotRow], title: str, scale: Scale | None = None, line: float | None = None) -> Markup:
    """Return a table with the drawing of each row; what lies beyond the scale stands at its ends.

    The scale covers all numbers unless one is given; `line` is a number that is marked through all rows.
    """
    everything = [number for row in rows for number in row.numbers] + ([] if line is None else [line])
    scale = scale or linear_scale(np.array(everything, float), "")
    high = any(len(row.values) for row in rows)
    body = Markup('<tr><th scope="row"><bdi title="{0}">{0}</bdi></th><td>{1}</td><td>{2}</td></tr>')
    drawn = [body.format(row.name, _drawing(row, scale, line, BELOW if high else MIDDLE), row.text) for row in rows]
    tick, ticks = Markup('<text x="{:.1f}%" y="12" text-anchor="middle">{}</text>'), scale.tick_places(START, END)
    axis = [tick.format(*pair) for pair in ticks[:: 2 if len(ticks) > 5 else 1]]
    return Markup(
        '<table class="bars intervals{}"><caption>{}</caption><tbody>{}</tbody><tfoot><tr><th></th>'
        '<td><svg class="bar" aria-hidden="true">{}</svg></td><td></td></tr></tfoot></table>'
    ).format(" dots" if high else "", title, Markup("").join(drawn), Markup("").join(axis))


def _drawing(row: DotRow, scale: Scale, line: float | None, y: int) -> Markup:
    marks = LINE.format("track", START, END, y, y)
    if line is not None:
        marks += LINE.format("mean", *[_place(line, scale)] * 2, 0, 100)
    if row.interval:
        marks += LINE.format("whisker", *(_place(end, scale) for end in row.interval), y, y)
    if row.ring is not None:
        marks += DOT.format("ring", _place(row.ring, scale), ABOVE, 5)
    marks += _dots(row, scale)
    if row.mean is not None:
        marks += DOT.format("dot", _place(row.mean, scale), y, 5)
    svg = Markup('<svg class="bar {0}" role="img" aria-label="{1}"><title>{1}</title>{2}</svg>')
    return svg.format(row.tone, f"{row.name}: {row.text}", marks)


def _dots(row: DotRow, scale: Scale) -> Markup:
    """Return the values; those at nearly the same place stand on each other."""
    marks, stacked = Markup(""), Counter[int]()
    for value, text in zip(row.values, row.texts, strict=True):
        place = _place(value, scale)
        marks += TITLED.format(place, ABOVE - STEP * (stacked[round(place)] % HIGHEST), text)
        stacked[round(place)] += 1
    return marks


def _place(value: float, scale: Scale) -> float:
    return float(scale.places(np.array(value), START, END))
