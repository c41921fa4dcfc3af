"""The page of `darkroom runs --html`: its rows in a table that can be searched and sorted."""

from pathlib import Path

from darkroom.core.files import replacing
from darkroom.experiments.chosen import Listing
from darkroom.experiments.rows import Row
from darkroom.experiments.table import SHORT, cell_text
from darkroom.experiments.where import TEXTS, number
from darkroom.pages.elements import Tile
from darkroom.pages.render import render

TEMPLATE = Path(__file__).with_name("runs.html.j2")
DECIMALS = 4  # of a metric


def write_page(path: Path, found: Listing, where: str) -> None:
    """Write the page about the rows of a listing, which the filter `where` has chosen."""
    content = {
        "tiles": _tiles(found),
        "where": where.strip(),
        "columns": [name.replace("_", " ") if "." not in name else name for name in found.columns],
        "rows": [[_cell(row, key) for key in found.columns] for row in found.rows],
    }
    with replacing(path) as temporary:
        temporary.write_bytes(render(TEMPLATE, content))


def _cell(row: Row, key: str) -> str | float:
    """Return a number where there is one, so that the column can be sorted by it."""
    if key in row.metrics:
        return round(row.metrics[key], DECIMALS)
    text = cell_text(row, key)[: SHORT.get(key)]
    found = None if key in TEXTS else number(text)
    if found is None:
        return text
    return int(found) if found.is_integer() and "." not in text else found


def _tiles(found: Listing) -> list[Tile]:
    """Return the number of runs, the best on test, the champion."""
    of = f"of {found.all:,} in the store" if len(found.rows) < found.all else "all in the store"
    tiles = [Tile(f"{len(found.rows):,}", "runs", of, "plain")]
    measured = [row for row in found.rows if "test_accuracy" in row.metrics]
    if measured:
        best = max(measured, key=lambda row: row.metrics["test_accuracy"])
        tiles.append(
            Tile(f"{100 * best.metrics['test_accuracy']:.2f} %", "best test accuracy", best.facts["name"], "plain")
        )
    champion = next((row for row in found.rows if "champion" in row.facts["alias"].split()), None)
    if champion:
        tiles.append(Tile(f"version {champion.facts['version']}", "champion", champion.facts["name"], "good"))
    return tiles
