"""Digests of tables and of code."""

import hashlib
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from darkroom.core.files import digest, file_digest


def table_digest(table: pd.DataFrame) -> str:
    """Return the sha256, in hex, of a table's values in their order; missing ones count, the index does not."""
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()


def code_digest(*paths: Path, without: Collection[str] = ()) -> str:
    """Return the sha256, in hex, of the code of modules; a folder stands for its modules but those named in `without`.

    Code counts in the order of `paths`, sorted by name in a folder. A cache keyed by it is not used after an edit.
    """
    modules = [file for path in paths for file in (_modules(path, without) if path.is_dir() else [path])]
    return digest([file_digest(file) for file in modules])


def _modules(folder: Path, without: Collection[str]) -> list[Path]:
    found = folder.glob("[!.]*.py")  # .#x.py is an editor's lock
    return sorted(file for file in found if file.name not in without)
