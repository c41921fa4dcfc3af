"""Which columns of a table of pictures mean what, by their names; and where the pictures lie."""

import re
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.ingest.table_columns import SEPARATORS, header, read_columns
from darkroom.ingest.table_source import SPLITS, is_address
from darkroom.params.data import Columns

# by preference; capital letters, blanks and _ do not count
PATHS = ("path", "file", "filename", "filepath", "imagepath", "image", "img", "picture", "photo", "imageurl", "url")
LABELS = ("label", "class", "classname", "category", "target", "diagnosis", "finding", "species", "breed", "tag", "y")
SPLIT = ("split", "subset", "partition", "set", "usage")
GROUPS = ("group", "patient", "patientid", "subject", "subjectid", "case", "caseid", "video", "videoid", "author")


def find_columns(table: Path) -> Columns:
    """Return the columns of a .csv or .parquet file; group stays empty, see `group_column`.

    Raises UserError when no column has a name that stands for a path, or none for a label.
    """
    names = column_names(table)
    path, label = _first(names, PATHS), _first(names, LABELS)
    for column, role, known in ((path, "the paths of the pictures", PATHS), (label, "their labels", LABELS)):
        if not column:
            has = ", ".join(names[:12]) or "none"
            raise UserError(f"{table} has no column for {role}; rename it to {known[0]} (its columns: {has})")
    split = _first(names, SPLIT)
    columns = Columns(path=path, label=label, split=split, group="", attributes=[])
    if split and not set(read_columns(table, columns)["split"].str.lower()) <= {*SPLITS, ""}:
        columns = columns.model_copy(update={"split": ""})  # such as the number of a fold
    return columns


def group_column(table: Path) -> str:
    """Return the column of a table whose name stands for a patient, a video or the like; "" for none."""
    return _first(column_names(table), GROUPS)


def column_names(table: Path) -> list[str]:
    """Return the names of a table's columns; raises UserError when it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if table.suffix.lower() == ".parquet":
            return [str(name) for name in pq.read_schema(table).names]
        return max((header(table, separator) for separator in SEPARATORS), key=len)
    except PermissionError as problem:
        raise UserError(f"{table}: {problem.strerror}; give this user the right to read it") from None
    except (OSError, ValueError, pa.ArrowException):
        raise UserError(f"{table} cannot be read as a table; save it as CSV in UTF-8") from None


def pictures_of(table: Path) -> list[str]:
    """Return the paths of the pictures that a table names, relative to it, sorted; without web addresses."""
    paths = read_columns(table, find_columns(table))["path"].str.replace("\\", "/", regex=False)
    return sorted({path for path in paths if path and not is_address(path) and not re.match(r"/|[A-Za-z]:", path)})


def _first(names: list[str], known: tuple[str, ...]) -> str:
    """Return the name that stands first in `known`; "" for none."""
    plain = {re.sub(r"[\s_-]", "", name).lower(): name for name in reversed(names)}
    return next((plain[name] for name in known if name in plain), "")
