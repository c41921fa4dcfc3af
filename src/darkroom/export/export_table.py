"""The table of exports, reports/export.csv, and its page."""

from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from pathlib import Path

import pandas as pd

from darkroom.core.files import read_value, replacing, write_value
from darkroom.pages.elements import Tile
from darkroom.pages.render import render

TABLE, PAGE = "reports/export.csv", "reports/export.html"
TEMPLATE = Path(__file__).with_name("export.html.j2")


@dataclass(frozen=True)
class Row:
    """An export: `kilobytes` of 1,000 bytes; the rest as in measuring.Comparison, on `pictures` of validation.

    `version` is what was exported: a version's number or a folder.
    """

    format: str
    precision: str
    kilobytes: float
    agreement: float
    accuracy: float
    p50_ms: float
    difference: float
    keras_accuracy: float
    pictures: int
    version: str


KEY = ["version", "format", "precision"]


def record_export(root: Path, row: Row) -> None:
    """Put a row into the table of the workspace `root`, in place of one of the same export; draw the page."""
    file = root / TABLE
    table = pd.DataFrame([asdict(row)])
    if file.is_file() and [*(earlier := read_value(file)).columns] == [field.name for field in fields(Row)]:
        kept = earlier[(earlier[KEY].astype(str) != table[KEY].iloc[0]).any(axis=1)]
        table = pd.concat([kept, table]) if len(kept) else table
    table = table.sort_values(KEY, key=lambda column: column.astype(str), ignore_index=True)
    with replacing(file) as temporary:
        write_value(temporary, table, ".csv")
    with replacing(root / PAGE) as temporary:
        temporary.write_bytes(render(TEMPLATE, page_content(table)))


def page_content(table: pd.DataFrame) -> dict[str, object]:
    """Return the tiles and rows of the page."""
    rows = [Row(*values) for values in table.itertuples(index=False)]
    smallest, quickest = (min(rows, key=attrgetter(name)) for name in ("kilobytes", "p50_ms"))
    worst = max(row.keras_accuracy - row.accuracy for row in rows)
    tiles = [
        Tile(f"{smallest.kilobytes:,.0f} kB", "smallest", _name(smallest), "plain"),
        Tile(f"{quickest.p50_ms:.2f} ms", "quickest, one picture", _name(quickest), "plain"),
        Tile(f"{100 * max(worst, 0):.1f} points", "most accuracy lost", "against Keras, on validation", "plain"),
    ]
    return {"tiles": tiles, "rows": rows}


def _name(row: Row) -> str:
    return f"{row.format} {row.precision}"
