"""The students beside the champion: reports/shrink.csv, and its page."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.core.files import replacing, write_value
from darkroom.export.students import Front
from darkroom.pages.axes import round_ticks
from darkroom.pages.line_charts import Line, line_chart
from darkroom.pages.render import render

CHAMPION = "champion"
TABLE, PAGE = "reports/shrink.csv", "reports/shrink.html"
TEMPLATE = Path(__file__).with_name("shrink.html.j2")
TONES = 8  # c0 to c7


def write_fronts(root: Path, rows: Sequence[Front]) -> None:
    """Write the table and the page of the workspace `root`; the champion is the first of `rows`."""
    with replacing(root / TABLE) as temporary:
        write_value(temporary, pd.DataFrame([asdict(row) for row in rows]), ".csv")
    charts = [
        _chart(rows, "p50_ms", "Accuracy and latency", "milliseconds for one picture"),
        _chart(rows, "kilobytes", "Accuracy and size", "kB, not compressed"),
    ]
    with replacing(root / PAGE) as temporary:
        temporary.write_bytes(render(TEMPLATE, {"rows": rows, "charts": charts, "best": best_names(rows)}))


def best_names(rows: Sequence[Front]) -> set[str]:
    """Return the names on the front: no other network is as accurate and as quick, and better in one of both."""
    return {row.name for row in rows if not any(_dominates(other, row) for other in rows)}


def _dominates(one: Front, other: Front) -> bool:
    at_least = one.accuracy >= other.accuracy and one.p50_ms <= other.p50_ms
    return at_least and (one.accuracy > other.accuracy or one.p50_ms < other.p50_ms)


def _chart(rows: Sequence[Front], name: str, title: str, label: str) -> Markup:
    """Return accuracy in per cent over a cost, a point for each network; both axes show what there is."""
    costs = [float(getattr(row, name)) for row in rows]
    shares = [100 * row.accuracy for row in rows]
    lines = [
        Line(row.name, np.array([cost]), np.array([share]), f"c{number % TONES}")
        for number, (row, cost, share) in enumerate(zip(rows, costs, shares, strict=True))
    ]
    accuracies = [tick for tick in round_ticks(min(shares) - 0.5, max(shares) + 0.5) if tick[0] <= 100]
    return line_chart(lines, title, label, "accuracy on validation, %", round_ticks(0, max(costs)), accuracies)
