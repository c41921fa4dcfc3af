"""The manifest, from the parts that the packs of pictures leave: written in order, a part of it in memory at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from darkroom.core.tables import MANIFEST

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 250_000  # of the manifest, some 100 MB
MOST_DIGITS = 2  # of the hash that names a picture: 256 files are open at a time


def write_part(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write some rows of the manifest, sorted by image_id."""
    import pyarrow as pa
    from pyarrow import ipc

    table = pa.Table.from_pylist(rows, _schema()).sort_by("image_id")
    with ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)


def write_manifest(parts: Sequence[Path], file: Path, scratch: Path) -> None:
    """Write the rows of all parts to a Parquet file, sorted by image_id; `scratch` is a folder for temporary files.

    Of many rows those of one beginning of image_id, which is a hash, are sorted at a time.
    """
    from pyarrow import parquet

    rows = sum(_read(part).num_rows for part in parts)
    digits = next((n for n in range(MOST_DIGITS) if rows <= ROWS_AT_ONCE * 16**n), MOST_DIGITS)
    with parquet.ParquetWriter(file, _schema()) as writer:
        for pieces in _divided(parts, scratch, digits) if digits else [parts]:
            writer.write_table(_sorted(pieces), ROWS_AT_ONCE)


def _divided(parts: Sequence[Path], scratch: Path, digits: int) -> Iterator[list[Path]]:
    """Yield, for each beginning of image_id in order, a file with its rows; the file is deleted afterwards."""
    from pyarrow import compute, ipc

    beginnings = [f"{number:0{digits}x}" for number in range(16**digits)]
    files = {beginning: scratch / f"manifest-{beginning}" for beginning in beginnings}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(ipc.new_file(str(file), _schema())) for name, file in files.items()}
        for part in parts:
            table = _read(part)
            heads = compute.utf8_slice_codeunits(table["image_id"], 0, digits)
            for name in compute.unique(heads).to_pylist():
                writers[name].write_table(table.filter(compute.equal(heads, name)))
    for file in files.values():
        yield [file]
        file.unlink()


def _sorted(pieces: Sequence[Path]) -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables([_schema().empty_table(), *map(_read, pieces)]).sort_by("image_id")


def _read(part: Path) -> "pa.Table":
    """Return a table that is mapped from its file."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(part))).read_all()


@cache
def _schema() -> "pa.Schema":
    """Return the manifest's columns with the dtypes that pandas will give them."""
    import pyarrow as pa

    return pa.Schema.from_pandas(pd.DataFrame(columns=list(MANIFEST)).astype(MANIFEST))
