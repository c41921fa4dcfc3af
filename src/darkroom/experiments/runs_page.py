"""The page of `darkroom runs --html`: its rows in a table that can be searched and sorted."""

from pathlib import Path

from darkroom.core.files import replacing
from darkroom.experiments.chosen import Listing
from darkroom.experiments.table import SHORT, cell_text
from darkroom.experiments.where import TEXTS, number
from darkroom.pages.elements import Tile
from darkroom.pages.render import render
from darkroom.tracking.headlines import HEADLINES

TEMPLATE = Path(__file__).with_name("runs.html.j2")


def write_page(path: Path, found: Listing, where: str) -> None:
    """Write the page about the rows of a listing, which the filter `where` has chosen."""
    content = {
        "tiles": _tiles(found),
        "where": where.strip(),
        "columns": [(_heading(key), _is_number(found, key)) for key in found.columns],
        "rows": [[cell_text(row, key)[: SHORT.get(key)] for key in found.columns] for row in found.rows],
    }
    with replacing(path) as temporary:
        temporary.write_bytes(render(TEMPLATE, content))


def _heading(key: str) -> str:
    return f"{key}, UTC" if key == "started" else key.replace("_", " ") if key in HEADLINES else key


def _is_number(found: Listing, key: str) -> bool:
    """Return whether all values of a column are numbers, by which it is sorted."""
    values = [row.values.get(key, "") for row in found.rows]
    return key not in TEXTS and all(value == "" or number(value) is not None for value in values)


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
