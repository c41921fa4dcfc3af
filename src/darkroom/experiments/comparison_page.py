"""The page of a comparison: every seed a dot, the differences with their intervals, the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from markupsafe import Markup

from darkroom.core.files import replacing
from darkroom.core.metrics import METRICS
from darkroom.experiments.comparison_file import BASE
from darkroom.experiments.comparison_table import ENOUGH, Compared, VariantRow
from darkroom.pages.axes import Ticks, places, round_ticks, scaled
from darkroom.pages.render import render

TEMPLATE = Path(__file__).with_name("comparison.html.j2")
TONES = {"better": "good", "worse": "bad"}
NAMES = {"accuracy": "accuracy", "f1_macro": "F1, mean of the classes", "roc_auc": "ROC AUC", "log_loss": "log loss"}
NONE = "\N{EN DASH}"  # stands for a number that is not known
START, END = 2, 98  # per cent of a drawing's width


@dataclass(frozen=True)
class Unit:
    """How the scores of a metric are written: `factor` times the value, with so many decimals."""

    factor: float
    decimals: int
    name: str
    points: str

    def text(self, value: float, sign: bool = False) -> str:
        """Return a value without its unit; a dash for none."""
        if not np.isfinite(value):
            return NONE
        return f"{self.factor * value:{'+' if sign else ''}.{self.decimals}f}"


def unit_of(metric: str) -> Unit:
    """Return how a metric is written."""
    loss = METRICS[metric].lower_is_better
    return (
        Unit(1, 4, NAMES[metric], NAMES[metric]) if loss else Unit(100, 2, f"{NAMES[metric]}, %", "percentage points")
    )


def write_page(path: Path, compared: Compared) -> None:
    """Write the page about a comparison."""
    comparison, rows, on_test = compared.comparison, compared.rows, compared.on_test
    unit = unit_of(comparison.metric)
    content = {
        "name": comparison.name,
        "unit": unit,
        "lower": METRICS[comparison.metric].lower_is_better,
        "enough": ENOUGH,
        "differences": _differences(rows, unit),
        "scores": _scores(rows, unit),
        "rows": [_cells(row, unit) for row in rows],
        "on_test": [_cells(row, unit) for row in on_test],
        "test_differences": _differences(on_test, unit) if on_test else "",
        "changes": [(variant.name, _changes(variant.differences)) for variant in comparison.variants[1:]],
    }
    with replacing(path) as temporary:
        temporary.write_bytes(render(TEMPLATE, content))


def _cells(row: VariantRow, unit: Unit) -> dict[str, Any]:
    """Return a row of the table as texts."""
    interval = f"{unit.text(row.low, True)} to {unit.text(row.high, True)}" if np.isfinite(row.low) else NONE
    return {
        "name": row.variant,
        "tone": TONES.get(row.verdict, ""),
        "seeds": row.seeds,
        "mean": unit.text(row.mean),
        "deviation": unit.text(row.deviation),
        "difference": unit.text(row.difference, True),
        "interval": interval,
        "p": NONE if not np.isfinite(row.p) else "< 0.001" if row.p < 0.001 else f"{row.p:.3f}",
        "verdict": row.verdict,
        "reason": row.reason,
        "seconds": f"{row.seconds:,.1f}" if np.isfinite(row.seconds) else NONE,
        "parameters": f"{row.parameters:,.0f}" if np.isfinite(row.parameters) else NONE,
    }


def _changes(differences: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, shorten(_yaml(value), 80, placeholder=" ...")) for key, value in differences.items()]


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _differences(rows: Sequence[VariantRow], unit: Unit) -> Markup:
    """Return the picture of the differences to the base, for each variant its seeds, their mean and its interval."""
    shown = [row for row in rows if row.variant != BASE and row.differences]
    values = [unit.factor * x for row in shown for x in (*row.differences.values(), row.low, row.high)]
    scale = _scale([*values, 0.0])
    lines = [
        _line(row, row.differences, (row.difference, row.low, row.high), unit, scale, unit.text(row.difference, True))
        for row in shown
    ]
    return _picture(
        lines, scale, f"Variant less base, {unit.points}: a dot for each seed, below them mean and 95 % interval"
    )


def _scores(rows: Sequence[VariantRow], unit: Unit) -> Markup:
    """Return the picture of the scores, for each variant its seeds and their mean."""
    shown = [row for row in rows if row.scores]
    scale = _scale([unit.factor * x for row in shown for x in row.scores.values()])
    lines = [_line(row, row.scores, (row.mean, np.nan, np.nan), unit, scale, unit.text(row.mean)) for row in shown]
    return _picture(lines, scale, f"{unit.name[0].upper()}{unit.name[1:]}: a dot for each seed, below them the mean")


def _scale(values: Sequence[float]) -> Ticks:
    finite = [value for value in values if np.isfinite(value)]
    return round_ticks(min(finite, default=0.0), max(finite, default=1.0))


def _line(
    row: VariantRow, seeds: Mapping[int, float], mean: tuple[float, float, float], unit: Unit, scale: Ticks, text: str
) -> Markup:
    """Return a row: the seeds above, below them the mean and its interval, where there is one."""

    def place(value: float) -> float:
        return float(scaled(np.array(unit.factor * value), scale[0][0], scale[-1][0], START, END))

    line = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}%" y2="{}%"/>')
    marks = line.format("track", START, END, 72, 72)
    if scale[0][0] < 0 < scale[-1][0]:
        marks += line.format("mean", place(0), place(0), 0, 100)
    if np.isfinite(mean[1]):
        marks += line.format("whisker", place(mean[1]), place(mean[2]), 72, 72)
    dot = Markup('<circle class="{}" cx="{:.2f}%" cy="{}%" r="{}"><title>{}</title></circle>')
    before: dict[str, int] = {}
    for seed, value in seeds.items():
        above = before[unit.text(value)] = before.get(unit.text(value), -1) + 1  # equal ones stand on each other
        marks += dot.format("dot seed", place(value), 38 - 10 * (above % 5), 4, f"seed {seed + 1}: {unit.text(value)}")
    marks += dot.format("dot", place(mean[0]), 72, 5, f"mean: {unit.text(mean[0])}")
    svg = Markup('<svg class="bar {0}" role="img" aria-label="{1}">{2}</svg>')
    return Markup('<tr><th scope="row"><bdi title="{0}">{0}</bdi></th><td>{1}</td><td>{2}</td></tr>').format(
        row.variant, svg.format(TONES.get(row.verdict, ""), f"{row.variant}: mean {text}", marks), text
    )


def _picture(lines: Sequence[Markup], scale: Ticks, caption: str) -> Markup:
    tick = Markup('<text x="{:.1f}%" y="12" text-anchor="middle">{}</text>')
    axis = Markup("").join(tick.format(*pair) for pair in places(scale, scale[0][0], scale[-1][0], START, END))
    return Markup(
        '<table class="bars intervals seeds"><caption>{}</caption><tbody>{}</tbody>'
        '<tfoot><tr><th></th><td><svg class="bar" aria-hidden="true">{}</svg></td><td></td></tr></tfoot></table>'
    ).format(caption, Markup("").join(lines), axis)
