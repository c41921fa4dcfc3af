"""Digests of tables and of code, hashes of texts."""

import hashlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.files import digest, file_digest

CHUNK = 100_000  # rows: to hash texts, pandas makes objects of them, which take several times their memory


def table_digest(table: pd.DataFrame) -> str:
    """Return the sha256, in hex, of a table's values in their order; missing ones count, the index does not."""
    found = hashlib.sha256()
    for start in range(0, len(table), CHUNK):
        part = table.iloc[start : start + CHUNK]
        found.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
    return found.hexdigest()


def hash_texts(texts: pd.Series, key: str) -> np.ndarray:
    """Return the SipHash (n,) uint64 of each text; `key` has 16 characters."""
    hashes = np.empty(len(texts), np.uint64)
    for start in range(0, len(texts), CHUNK):
        part = texts.iloc[start : start + CHUNK].to_numpy(dtype=object)
        hashes[start : start + CHUNK] = pd.util.hash_array(part, hash_key=key, categorize=False)
    return hashes


def code_digest(*paths: Path, without: Collection[str] = ()) -> str:
    """Return the sha256, in hex, of the code of modules; a folder stands for its modules but those named in `without`.

    Code counts in the order of `paths`, sorted by name in a folder. A cache keyed by it is not used after an edit.
    """
    modules = [file for path in paths for file in (_modules(path, without) if path.is_dir() else [path])]
    return digest([file_digest(file) for file in modules])


def _modules(folder: Path, without: Collection[str]) -> list[Path]:
    found = folder.glob("[!.]*.py")  # .#x.py is an editor's lock
    return sorted(file for file in found if file.name not in without)
