"""What is found about the traffic, on the terminal and as a page."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.decision.reference import FACTS
from darkroom.pages.axes import round_ticks
from darkroom.pages.elements import Tile
from darkroom.pages.line_charts import Line, line_chart
from darkroom.pages.render import render
from darkroom.watch.drift import Check
from darkroom.watch.traffic import Requests
from darkroom.watch.watching import FEWEST, Watched

TEMPLATE = Path(__file__).with_name("watch.html.j2")
CLASSES = 30  # in the table, those whose share has moved most
BINS = 24
UNITS = {
    "confidence": "probability of the predicted class",
    "width": "pixels",
    "height": "pixels",
    "brightness": "mean luma, 0 black to 1 white",
    "sharpness": "variance of the Laplacian",
}


def lines(found: Watched) -> list[str]:
    """Return the report as lines for the terminal."""
    head = f"version {found.version}: {_requests(found.requests)}"
    if not found.checks:
        return [head, f"too few answers to compare: {len(found.answers)} of at least {FEWEST}"]
    rows = [f"{'check':<12}{'measure':<14}{'value':>10}{'threshold':>12}  drift"]
    for check in found.checks:
        numbers = f"{_number(check.value):>10}{_number(check.threshold):>12}"
        rows.append(f"{check.name:<12}{check.measure:<14}{numbers}  {'yes' if check.drifted else 'no'}")
    compared = f"{len(found.answers):,} answers beside {len(found.reference):,} reference pictures: {verdict(found)}"
    return [head, *rows, compared]


def verdict(found: Watched) -> str:
    """Return what drifted, in words."""
    names = [check.name for check in found.checks if check.drifted]
    return f"drift in {', '.join(names)}" if names else "no drift"


def write_page(path: Path, found: Watched) -> None:
    """Write the page, UTF-8 HTML that needs nothing else."""
    content = {
        "version": found.version,
        "tiles": _tiles(found),
        "verdict": verdict(found) if found.checks else f"Too few answers to compare: at least {FEWEST} are needed.",
        "checks": [_row(check, found) for check in found.checks],
        "classes": _classes(found) if found.checks else [],
        "charts": _charts(found) if found.checks else [],
        "span": _span(found.requests),
    }
    path.write_bytes(render(TEMPLATE, content))


def _requests(requests: Requests | None) -> str:
    if requests is None:
        return "no requests in the log of traffic"
    latency = f"{requests.p50:.1f} ms median, {requests.p95:.1f} ms for the slowest twentieth"
    return f"{requests.count:,} requests, {requests.errors:.1%} errors, {latency}"


def _span(requests: Requests | None) -> str:
    if requests is None:
        return ""
    first, last = (datetime.fromtimestamp(time, UTC) for time in (requests.first, requests.last))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _tiles(found: Watched) -> list[Tile]:
    drifted = sum(check.drifted for check in found.checks)
    state = "warn" if drifted else "good" if found.checks else "plain"
    tiles = [Tile(f"{drifted}", "checks with drift", f"of {len(found.checks)}", state)]
    if (requests := found.requests) is not None:
        tiles += [
            Tile(f"{requests.count:,}", "requests", "the latest of this version", "plain"),
            Tile(_share(requests.errors), "errors", "of the requests", "warn" if requests.errors else "good"),
            Tile(f"{requests.p50:.1f} ms", "median latency", f"95 % within {requests.p95:.1f} ms", "plain"),
            Tile(_share(requests.abstained), "abstained", "of the answers", "plain"),
            Tile(_share(requests.unfamiliar), "unfamiliar", "the reference has 1 %", "plain"),
        ]
    return tiles


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if share else "0"


def _number(value: float) -> str:
    """Return four digits, of large numbers all before the point, and nothing of the smallest: they stand for zero."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) > 1e-8 else "0"


def _column(name: str) -> str:
    return "score" if name == "confidence" else name


def _row(check: Check, found: Watched) -> dict[str, str]:
    """Return the cells of a check; of a number also its median then and now."""
    medians = ["", ""]
    if check.name in UNITS:
        tables = (found.reference, found.answers)
        medians = [_number(float(table[_column(check.name)].median())) for table in tables]
    numbers = {"value": _number(check.value), "threshold": _number(check.threshold)}
    state = "warning" if check.drifted else "passed"
    return {
        "name": check.name,
        "measure": check.measure,
        "then": medians[0],
        "now": medians[1],
        "state": state,
    } | numbers


def _classes(found: Watched) -> list[tuple[str, float, float]]:
    """Return class, its per cent of the reference and of the latest ones, the largest changes first."""
    shares = [100 * table["predicted"].value_counts(normalize=True) for table in (found.reference, found.answers)]
    table = pd.concat(shares, axis=1, keys=["then", "now"]).fillna(0.0).sort_index()
    order = (table["now"] - table["then"]).abs().sort_values(ascending=False, kind="stable").index[:CLASSES]
    return [(str(name), float(then), float(now)) for name, then, now in table.loc[order].itertuples()]


def _charts(found: Watched) -> list[Markup]:
    """Return the distributions, then and now, of the numbers in which pictures differ."""
    names = ("confidence", *FACTS)
    tables = (found.reference, found.answers)
    values = {name: [table[_column(name)].to_numpy(float) for table in tables] for name in names}
    return [_chart(name, then, now) for name, (then, now) in values.items() if len(np.unique([*then, *now])) > 1]


def _chart(name: str, then: np.ndarray, now: np.ndarray) -> Markup:
    """Return the per cent of the pictures in each bin, as one line for then and one for now."""
    both = np.concatenate([then, now])
    ticks = round_ticks(float(both.min()), float(np.quantile(both, 0.99)))
    edges = np.linspace(ticks[0][0], ticks[-1][0], BINS + 1)
    shares = [100 * np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] / len(part) for part in (then, now)]
    middle = (edges[1:] + edges[:-1]) / 2
    drawn = [
        Line("reference", middle, shares[0], "train"),
        Line("latest answers", middle, shares[1], "warn"),
    ]
    heights = round_ticks(0, max(1.0, math.ceil(max(map(np.max, shares)))))
    return line_chart(drawn, name.capitalize(), UNITS[name], "% of the pictures", ticks, heights)
