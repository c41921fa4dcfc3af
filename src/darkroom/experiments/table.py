"""The table of `darkroom runs`: fitted into a terminal; plain and whole for a pipe; as CSV."""

import csv
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from darkroom.core.files import replacing
from darkroom.experiments.rows import FACTS, Row
from darkroom.tracking.headlines import HEADLINES, LOWER_IS_BETTER

if TYPE_CHECKING:
    from rich.text import Text

LONGEST = 24  # characters of a name or a parameter in a terminal
END = 8  # of these the last ones, which tell names apart
SHORT = {"commit": 8, "id": 8, "started": 16}  # characters of a fact in a terminal
FIRST = (
    "name",
    "test_accuracy",
    "validation_accuracy",
    "version",
    "alias",
)  # in a narrow terminal the parameters come next
GAP = 2  # spaces between columns


def cell_text(row: Row, key: str) -> str:
    """Return what a cell shows: metrics with four decimals, no character that would break the line."""
    if key in row.metrics:
        return f"{row.metrics[key]:.4f}"
    text = str(row.values.get(key, ""))
    return "".join(char if char.isprintable() else "?" for char in text)


def plain_lines(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the heading and a line for each row, every column as wide as it needs to be."""
    return aligned([columns, *([cell_text(row, key) for key in columns] for row in rows)])


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of cells in columns as wide as they need to be; a line may lack the last cells."""
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def print_fitted(rows: Sequence[Row], columns: Sequence[str], asked: Sequence[str], out: TextIO) -> list[str]:
    """Print a table as wide as the terminal `out`; return the columns for which there was no room.

    The columns in `asked` are the last to go; the best value of each metric is bold.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(file=out, highlight=False)
    widths = {key: _width(rows, key) for key in columns}
    shown = _that_fit(widths, asked, console.width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for key in shown:
        numbers = key in HEADLINES
        table.add_column(_heading(key), justify="right" if numbers else "left", no_wrap=True, width=widths[key])
    best = {key: _best(rows, key) for key in shown if key in HEADLINES}
    for row in rows:
        table.add_row(*(_styled(row, key, best) for key in shown))
    console.print(table)
    return [key for key in columns if key not in shown]


def _that_fit(widths: dict[str, int], asked: Sequence[str], most: int) -> list[str]:
    """Return the columns that fit into `most` characters, those of the widest use first considered, in their order."""
    params = [key for key in widths if key not in FACTS and key not in HEADLINES]
    preferred = dict.fromkeys([FIRST[0], *asked, *FIRST[1:], *params, "started", *HEADLINES, *widths])
    kept: set[str] = set()
    for key in preferred:
        if key in widths and widths[key] + sum(widths[other] + GAP for other in kept) <= most:
            kept.add(key)
    return [key for key in widths if key in kept]


def _width(rows: Sequence[Row], key: str) -> int:
    from rich.cells import cell_len

    heading = max(map(len, _heading(key).split("\n")))
    return max(heading, *(cell_len(_shortened(row, key)) for row in rows))


def _heading(key: str) -> str:
    """Return a key in several short lines: "test\\naccuracy", "train.\\nlearning_rate"."""
    if key in HEADLINES:
        return key.replace("_", " ").replace(" ", "\n", 1)
    return "started,\nUTC" if key == "started" else key.replace(".", ".\n")


def _shortened(row: Row, key: str) -> str:
    text = cell_text(row, key)
    if key in SHORT:
        return text[: SHORT[key]]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - END - 1]}…{text[-END:]}"


def _best(rows: Sequence[Row], key: str) -> float | None:
    """Return the best value of a metric; None when all are the same."""
    found = {row.metrics[key] for row in rows if key in row.metrics}
    if len(found) < 2:
        return None
    return min(found) if key in LOWER_IS_BETTER else max(found)


def _styled(row: Row, key: str, best: dict[str, float | None]) -> "Text":
    from rich.text import Text

    marked = key in best and row.metrics.get(key) == best[key]
    return Text(_shortened(row, key), style="bold" if marked else "")


def write_csv(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write the table as CSV: every digit of a number, an empty cell for what a row lacks."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.values.get(key, "") for key in columns] for row in rows)
