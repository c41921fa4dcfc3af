"""`darkroom compare`: which change helped."""

import logging
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.core.files import replacing, write_value
from darkroom.core.paths import cache_folder, workspace
from darkroom.execution.locks import locked
from darkroom.experiments.comparison_data import plan_trainings
from darkroom.experiments.comparison_file import FOLDER, comparison_names, read_comparison
from darkroom.experiments.comparison_page import unit_of, write_page
from darkroom.experiments.comparison_record import record_comparison
from darkroom.experiments.comparison_running import run_trainings
from darkroom.experiments.comparison_table import Compared, VariantRow, frame_of, variant_rows

REPORTS = "reports/comparisons"
logger = logging.getLogger(__name__)


def list_comparisons() -> int:
    """Print the name and the first line of each comparison; return the exit status."""
    root = workspace()
    names = comparison_names(root)
    if not names:
        raise UserError(f"no comparisons in {root.name}/{FOLDER}/; run this in the repository, docs/compare.md has one")
    width = max(map(len, names))
    for name in names:
        first = (root / FOLDER / f"{name}.yaml").read_text(encoding="utf-8", errors="replace").splitlines()[:1]
        print(f"{name:{width}}  {''.join(first).removeprefix('# ')}")
    return 0


def compare(name: str, seeds: int | None, test: bool) -> int:
    """Run a comparison, or what of it has not run yet; write its table and page, record it; return the exit status."""
    root, kept = workspace(), cache_folder() / "compare"
    comparison = read_comparison(root, name, seeds)
    trainings = plan_trainings(root, comparison)
    splits = ("validation", "test") if test else ("validation",)
    kept.mkdir(exist_ok=True)
    with locked(kept / "running.lock"):
        results = run_trainings(root, trainings, splits, kept, comparison.metric)
    rows = variant_rows(comparison, trainings, results, "validation")
    on_test = variant_rows(comparison, trainings, results, "test") if test else []
    compared = Compared(comparison, trainings, results, rows, on_test)
    record_comparison(compared)  # first, as it counts a look at the test split
    table = root / REPORTS / f"{name}.csv"
    with replacing(table) as unfinished:
        write_value(unfinished, frame_of(compared), ".csv")
    write_page(table.with_suffix(".html"), compared)
    _print(rows, f"validation {comparison.metric.replace('_', ' ')}")
    if test:
        _print(on_test, f"test {comparison.metric.replace('_', ' ')}")
    logger.info("%s shows every seed", Path(REPORTS, f"{name}.html"))
    return 0


def _print(rows: list[VariantRow], title: str) -> None:
    """Print the table in short: mean and deviation, difference with interval, verdict."""
    unit, width = unit_of(rows[0].metric), max(len(row.variant) for row in rows)
    print(f"{title}{', %' if unit.factor == 100 else ''}: mean ± deviation, difference to the base [95 % interval]")
    for row in rows:
        score = f"{unit.text(row.mean)} ± {unit.text(row.deviation)}"
        interval = f"[{unit.text(row.low, True)}, {unit.text(row.high, True)}]" if row.low == row.low else ""
        difference = f"{unit.text(row.difference, True)} {interval}" if row.differences else ""
        print(f"  {row.variant:{width}}  {score:16} {difference:26} {row.verdict}".rstrip())
        if row.reason:
            print(f"  {'':{width}}  {row.reason}")
