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
from darkroom.pages.dot_rows import DotRow, dot_rows
from darkroom.pages.render import render

TEMPLATE = Path(__file__).with_name("comparison.html.j2")
TONES = {"better": "good", "worse": "bad"}
NONE = "\N{EN DASH}"  # stands for a number that is not known


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
    name = METRICS[metric].name
    loss = METRICS[metric].lower_is_better
    return Unit(1, 4, name, name) if loss else Unit(100, 2, f"{name}, %", "percentage points")


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
        "base": f"the recipe {comparison.recipe}" if comparison.recipe else "params.yaml",
        "epochs": compared.trainings[0].params.train.epochs,
        "shared": _changes(comparison.shared),
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
    drawn = []
    for row in rows:
        if row.variant != BASE and row.differences:
            interval = (unit.factor * row.low, unit.factor * row.high) if np.isfinite(row.low) else None
            drawn.append(_row(row, row.differences, row.difference, unit.text(row.difference, True), unit, interval))
    title = f"Variant less base, {unit.points}: a dot for each seed, below them mean and 95 % interval"
    return dot_rows(drawn, title, line=0.0)


def _scores(rows: Sequence[VariantRow], unit: Unit) -> Markup:
    """Return the picture of the scores, for each variant its seeds and their mean."""
    drawn = [_row(row, row.scores, row.mean, unit.text(row.mean), unit) for row in rows if row.scores]
    return dot_rows(drawn, f"{unit.name[0].upper()}{unit.name[1:]}: a dot for each seed, below them the mean")


def _row(
    row: VariantRow,
    seeds: Mapping[int, float],
    mean: float,
    text: str,
    unit: Unit,
    interval: tuple[float, float] | None = None,
) -> DotRow:
    values = [unit.factor * value for value in seeds.values()]
    texts = [f"seed {seed + 1}: {unit.text(value)}" for seed, value in seeds.items()]
    return DotRow(row.variant, text, unit.factor * mean, interval, values, texts, tone=TONES.get(row.verdict, ""))
