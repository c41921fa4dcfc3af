"""The paths that a table names, row by row."""

import csv
from collections.abc import Iterator
from pathlib import Path

from darkroom.core.errors import UserError, first_line
from darkroom.core.suggestions import nearest

COLUMN = "path"
SEPARATORS = (",", ";", "\t")


def table_paths(file: Path) -> Iterator[str]:
    """Yield the column `path` of a .csv (UTF-8; comma, semicolon or tab) or .parquet; raises UserError.

    Rows without a path are passed over.
    """
    rows = _parquet_rows(file) if file.suffix.lower() == ".parquet" else _csv_rows(file)
    try:
        yield from filter(None, rows)
    except UnicodeDecodeError:
        raise UserError(f"{file} is not written in UTF-8; save it again as UTF-8") from None
    except (csv.Error, OSError, ValueError) as error:  # pyarrow.ArrowInvalid is a ValueError
        raise UserError(f"{file} cannot be read as a table: {first_line(error)}") from None


def _csv_rows(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        separator = next((mark for mark in SEPARATORS if COLUMN in _cells(first, mark)), ",")
        place = _place(file, _cells(first, separator))
        for row in csv.reader(lines, delimiter=separator):
            yield row[place].strip() if len(row) > place else ""


def _cells(line: str, separator: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]


def _parquet_rows(file: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        _place(file, table.schema_arrow.names)
        for batch in table.iter_batches(columns=[COLUMN]):
            yield from (str(path).strip() if path is not None else "" for path in batch.column(0).to_pylist())


def _place(file: Path, names: list[str]) -> int:
    if names.count(COLUMN) != 1:
        problem = "several columns" if COLUMN in names else "no column"
        raise UserError(f"{file} has {problem} {COLUMN!r}; one must name the pictures{nearest(COLUMN, names)}")
    return names.index(COLUMN)
