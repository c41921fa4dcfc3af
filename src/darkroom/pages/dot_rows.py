"""Rows of dots: all values of each of a few groups on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from darkroom.pages.scales import Scale

START, END = 2, 98  # per cent of the width


@dataclass(frozen=True)
class DotRow:
    """A group: its name, its values (n,) float with a text for each, a text for all.

    A line marks their `mean`, a ring one value that is compared with them; each may be None.
    """

    name: str
    values: np.ndarray
    texts: Sequence[str]
    text: str
    mean: float | None = None
    ring: float | None = None


def dot_rows(rows: Sequence[DotRow], title: str, scale: Scale) -> Markup:
    """Return a table with a dot for each value of each row; values beyond the scale stand at its ends."""
    line = Markup('<tr><th scope="row"><bdi title="{0}">{0}</bdi></th><td>{1}</td><td>{2}</td></tr>')
    body = Markup("").join(line.format(row.name, _drawing(row, scale), row.text) for row in rows)
    tick = Markup('<text x="{:.1f}%" y="12" text-anchor="middle">{}</text>')
    ticks = scale.tick_places(START, END)
    axis = Markup("").join(tick.format(*pair) for pair in ticks[:: 2 if len(ticks) > 5 else 1])
    return Markup(
        '<table class="bars intervals dots"><caption>{}</caption><tbody>{}</tbody><tfoot><tr><th></th>'
        '<td><svg class="bar" aria-hidden="true">{}</svg></td><td></td></tr></tfoot></table>'
    ).format(title, body, axis)


def _drawing(row: DotRow, scale: Scale) -> Markup:
    line = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}%" y2="{}%"/>')
    marks = line.format("track", START, END, 50, 50)
    if row.mean is not None:
        place = _place(row.mean, scale)
        marks += line.format("whisker", place, place, 5, 95)
    if row.ring is not None:
        marks += Markup('<circle class="ring" cx="{:.2f}%" cy="50%" r="5"/>').format(_place(row.ring, scale))
    dot = Markup('<circle class="dot" cx="{:.2f}%" cy="50%" r="3.5"><title>{}</title></circle>')
    places = scale.places(row.values, START, END).tolist()
    marks += Markup("").join(dot.format(*pair) for pair in zip(places, row.texts, strict=True))
    svg = Markup('<svg class="bar" role="img" aria-label="{}: {}">{}</svg>')
    return svg.format(row.name, row.text, marks)


def _place(value: float, scale: Scale) -> float:
    return float(scale.places(np.array(value), START, END))
