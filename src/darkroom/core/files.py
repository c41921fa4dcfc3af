"""Reading and writing files: never half a file, and the same bytes for the same content."""

import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import yaml

DECIMALS = 6


def partial_path(path: Path) -> Path:
    """Return the temporary name of `path`, beside it; git and DVC ignore it."""
    return path.with_name(path.name + ".partial")


def prepare_partial(path: Path) -> Path:
    """Return the temporary name of `path`, ready to be written: its folder exists, and nothing has the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(partial_path(path))
    return partial_path(path)


@contextmanager
def replacing(path: Path, temporary: Path | None = None) -> Iterator[Path]:
    """Yield the temporary name of a file; it gets its name when the block succeeds, else nothing is left of it."""
    temporary = temporary or prepare_partial(path)
    try:
        with naming_errors(path):
            yield temporary
        temporary.replace(path)
    except BaseException:
        remove(temporary)
        raise


@contextmanager
def publishing(path: Path) -> Iterator[Path]:
    """Do as `replacing`, under a temporary name that no other process has: a task that is run twice meets no other.

    A killed process leaves its temporary file, beside `path`; whoever made the folder deletes it.
    """
    with replacing(path, path.with_name(f"{path.name}.{uuid4().hex}.partial")) as temporary:
        yield temporary


@contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Add `path` to an OSError that names no file: a full disk shows when bytes are written, not at the opening."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def remove(path: Path) -> None:
    """Delete a file or a folder, if it exists; of a link, the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_value(path: Path, value: Any, kind: str) -> None:
    """Write a table, a mapping or a text to `path` in the format that the suffix `kind` names."""
    with naming_errors(path):
        _write(path, value, kind)


def _write(path: Path, value: Any, kind: str) -> None:
    if kind == ".parquet":
        value.to_parquet(path, index=False)
    elif kind == ".csv":
        value.to_csv(path, index=False, float_format="%.9g", lineterminator="\n")
    elif kind == ".yaml":
        path.write_text(yaml.safe_dump(value, sort_keys=True), encoding="utf-8")
    elif kind == ".json":
        path.write_text(canonical_json(value, indent=2) + "\n", encoding="utf-8")
    else:
        path.write_text(value, encoding="utf-8")


def read_value(path: Path, columns: list[str] | None = None) -> Any:
    """Read what `write_value` wrote: a DataFrame (of .parquet all columns or the given ones) or a mapping."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=columns)
    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".yaml":
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    return json.loads(path.read_text(encoding="utf-8"))


def canonical_json(value: Any, indent: int | None = None) -> str:
    """Return JSON with sorted keys; NumPy's numbers are numbers, NaN and infinity are null."""
    return json.dumps(_plain(value), sort_keys=True, indent=indent, ensure_ascii=False, allow_nan=False)


def rounded(value: Any) -> Any:
    """Return a report as it will be read from its file: floats rounded to `DECIMALS` places, NaN and infinity None."""
    return _plain(value, DECIMALS)


def digest(value: Any) -> str:
    """Return the sha256, in hex, of the canonical JSON of `value`; floats count to their last bit."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256, in hex, of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any, decimals: int | None = None) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item, decimals) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, decimals) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if decimals is None else round(value, decimals)
    return value
