"""Charts of points and lines with a text for each, as inline SVG; colours come from the page's style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from markupsafe import Markup

from darkroom.pages.axes import BOTTOM, LEFT, RIGHT, TOP, frame
from darkroom.pages.scales import Scale

MARKS = {
    "dot": '<circle class="dot {0}" cx="{1:.1f}" cy="{2:.1f}" r="3.2"><title>{3}</title></circle>',
    "ring": '<circle class="ring {0}" cx="{1:.1f}" cy="{2:.1f}" r="6"><title>{3}</title></circle>',
    "cross": '<path class="cross {0}" d="M{1:.1f} {2:.1f}m-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4"><title>{3}</title></path>',
}


@dataclass(frozen=True)
class Series:
    """Points (x, y), float arrays of one length, with a text for each; of a line, one text for all.

    `tone` as in `line_charts.Line`, or "faint". One without a name is not in the legend. A point that is not finite is
    left out; "step" is a line that changes at its points.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    texts: Sequence[str]
    tone: str
    mark: Literal["dot", "ring", "cross", "line", "step"] = "dot"


def scatter_chart(parts: Sequence[Series], title: str, x: Scale, y: Scale, summary: str) -> Markup:
    """Return the chart with axes and a legend; a later part lies above an earlier one. `summary` is read aloud."""
    marks = Markup("").join(
        _line(part, x, y) if part.mark in ("line", "step") else _points(part, x, y) for part in parts
    )
    labels = (x.label, y.label)
    chart = frame(title, labels, x.tick_places(LEFT, RIGHT), y.tick_places(BOTTOM, TOP), marks, summary)
    key = Markup('<span><i class="{} {}"></i>{}</span>')
    keys = Markup("").join(key.format(part.mark, part.tone, part.name) for part in parts if part.name)
    return Markup('<div class="plot">{}<p class="legend">{}</p></div>').format(chart, keys)


def _points(part: Series, x: Scale, y: Scale) -> Markup:
    places = zip(x.places(part.x, LEFT, RIGHT), y.places(part.y, BOTTOM, TOP), part.texts, strict=True)
    mark = Markup(MARKS[part.mark])
    return Markup("").join(mark.format(part.tone, *place) for place in places if np.isfinite(place[:2]).all())


def _line(part: Series, x: Scale, y: Scale) -> Markup:
    known = np.isfinite([part.x, part.y]).all(axis=0)
    across, up = x.places(part.x[known], LEFT, RIGHT), y.places(part.y[known], BOTTOM, TOP)
    if part.mark == "step":
        across, up = np.repeat(across, 2)[1:], np.repeat(up, 2)[:-1]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
    line = Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>')
    return line.format(part.tone, points, part.texts[0])
