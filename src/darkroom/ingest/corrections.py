"""Labels that a person corrected: data/corrections.csv, a line for each picture, reviewed and kept in git."""

import csv
from pathlib import Path
from unicodedata import normalize

from darkroom.core.errors import UserError, first_line
from darkroom.core.suggestions import nearest
from darkroom.core.tables import LEFT_OUT
from darkroom.ingest.layout import Entry, as_text
from darkroom.ingest.table_columns import SEPARATORS, header

COLUMNS = ("path", "label")
WHERE = "data/corrections.csv"


def read_corrections(file: Path) -> dict[str, str]:
    """Return {path, as in the manifest: label}; "" leaves the picture out.

    Other columns are passed over. Raises UserError when a column is missing, or a path has two labels.
    """
    found: dict[str, str] = {}
    try:
        rows = _rows(file)
    except UnicodeDecodeError:
        raise UserError(f"{WHERE} is not written in UTF-8; save it again as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{WHERE} cannot be read as a table: {first_line(error)}") from None
    for line, path, label in rows:
        if not path:
            raise UserError(f"{WHERE}, line {line}: has no path; name the picture as data/manifest.parquet does")
        if found.setdefault(path, label) != label:
            raise UserError(f"{WHERE}, line {line}: {path} is {label!r} here, {found[path]!r} above; keep one of them")
    return found


def correct(entries: list[Entry], corrections: dict[str, str]) -> list[str]:
    """Give pictures their corrected labels; return the sorted paths that name no picture of the source.

    A picture that is left out is read nevertheless, so that it keeps its image_id. Raises UserError when a label is
    none of the source's.
    """
    if not corrections:
        return []
    pictures = [(as_text(entry.path), entry) for entry in entries if not entry.error]
    labels = {entry.label for _, entry in pictures if entry.label is not None}
    for path, entry in pictures:
        if (label := corrections.get(path)) is None:
            continue
        if label and label not in labels:
            known = nearest(label, sorted(labels))
            raise UserError(f"{WHERE}: {path} gets the label {label!r}, which no other picture has{known}")
        entry.label = label or None
        entry.error = None if label else LEFT_OUT
    return sorted(corrections.keys() - {path for path, _ in pictures})


def _rows(file: Path) -> list[tuple[int, str, str]]:
    """Return number, path and label of each line that is not blank, without the blanks that spreadsheets add."""
    headers = {separator: header(file, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda mark: len(set(COLUMNS) & set(headers[mark])))
    names = headers[separator]
    for name in COLUMNS:
        if names.count(name) != 1:
            wrong = f"has several columns {name!r}" if name in names else f"has no column {name!r}"
            raise UserError(f"{WHERE} {wrong}; its first line must be {','.join(COLUMNS)}")
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text, delimiter=separator)
        cells = [(lines.line_num, row + [""] * len(names)) for row in lines if any(map(str.strip, row))][1:]
    path, label = (names.index(name) for name in COLUMNS)
    return [(line, row[path].strip(), normalize("NFC", row[label].strip())) for line, row in cells]
