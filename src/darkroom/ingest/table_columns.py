"""The columns of a table that params.yaml names, read as text."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.core.errors import UserError, first_line
from darkroom.core.files import canonical_json
from darkroom.core.suggestions import nearest
from darkroom.params.data import Columns

SEPARATORS = (",", ";", "\t")
ROLES = ("path", "label", "split", "group")
ATTRIBUTE = "attributes."  # and the name of a further column: its role


def read_columns(file: Path, columns: Columns) -> pd.DataFrame:
    """Return the columns path, label, split and group as text, stripped; "" where a value is missing.

    "01" and "NA" stay as they are. The column attributes is the JSON text of the further columns' values, "" without.
    Raises UserError when the file is not a table or lacks a column.
    """
    import pyarrow as pa

    wanted = {role: getattr(columns, role) for role in ROLES if getattr(columns, role)}
    wanted |= {ATTRIBUTE + name: name for name in columns.attributes}
    try:
        read = _parquet_columns if file.suffix.lower() == ".parquet" else _csv_columns
        found = read(file, wanted)
    except UnicodeDecodeError:
        raise UserError(f"{file.name} is not written in UTF-8; save it again as UTF-8") from None
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:  # ArrowInvalid is a ValueError
        raise UserError(f"{file.name} cannot be read as a table: {first_line(error)}") from None
    rows = pd.DataFrame({role: column.to_pandas() for role, column in found.items()}).fillna("").astype("str")
    rows = pd.DataFrame({role: column.str.strip() for role, column in rows.items()})
    for role in ("split", "group"):
        if role not in rows:
            rows[role] = pd.Series("", index=rows.index, dtype="str")
    rows = rows.assign(label=rows["label"].str.normalize("NFC"), attributes=_attributes(rows, columns.attributes))
    return rows[[*ROLES, "attributes"]]


def _attributes(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    """Return for each row the JSON text of {column: value}, without blank values; "" for none."""
    values = zip(*(rows[ATTRIBUTE + name].tolist() for name in names), strict=True) if names else [()] * len(rows)
    given = [{name: value for name, value in zip(names, row, strict=True) if value} for row in values]
    return pd.Series([canonical_json(one) if one else "" for one in given], index=rows.index, dtype="str")


def _csv_columns(file: Path, wanted: dict[str, str]) -> dict[str, Any]:
    """Return {role: column} of text; the separator is the one under which the first line has the path column."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    headers = {separator: header(file, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda mark: (wanted["path"] in headers[mark], len(headers[mark])))
    _require_columns(file, headers[separator], wanted)
    table = arrow.read_csv(
        file,
        read_options=arrow.ReadOptions(
            column_names=[str(number) for number in range(len(headers[separator]))], block_size=1 << 24
        ),
        parse_options=arrow.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=arrow.ConvertOptions(
            column_types={str(number): pa.string() for number in range(len(headers[separator]))},
            strings_can_be_null=False,
        ),
    ).slice(1)
    return {role: table.column(headers[separator].index(name)) for role, name in wanted.items()}


def header(file: Path, separator: str) -> list[str]:
    """Return the names in the first line of a CSV file, stripped; none for an empty file."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [name.strip() for name in next(csv.reader(lines, delimiter=separator), [])]


def _parquet_columns(file: Path, wanted: dict[str, str]) -> dict[str, Any]:
    """Return {role: column}, numbers as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        _require_columns(file, table.schema_arrow.names, wanted)
        content = table.read(columns=sorted(set(wanted.values())))
    try:
        return {role: content.column(name).cast(pa.string()) for role, name in wanted.items()}
    except pa.ArrowNotImplementedError:
        raise UserError(
            f"{file.name}: a column that ingest.columns names must hold text, not lists or the like"
        ) from None


def _require_columns(file: Path, names: list[str], wanted: dict[str, str]) -> None:
    """Raise UserError when a column is missing or there twice."""
    if not names:
        raise UserError(f"{file.name} is empty; its first line names the columns")
    for role, name in wanted.items():
        setting = f"ingest.columns.{role.split('.')[0]}"
        if name not in names:
            raise UserError(f"{file.name} has no column {name!r} ({setting}){nearest(name, names)}")
        if names.count(name) > 1:
            raise UserError(f"{file.name} has several columns {name!r} ({setting}); rename all but one")
