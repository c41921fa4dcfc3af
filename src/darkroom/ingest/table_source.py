"""A table of pictures, .csv or .parquet: a row names a file beside it or an address, with a label.

Such a table may lie in a bucket; then its files are the objects beside it.
"""

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from darkroom.core.tables import SPLIT_NAMES
from darkroom.ingest.buckets import OBJECT, Bucket, is_bucket, read_object
from darkroom.ingest.layout import SPLIT_FOLDERS, Entry
from darkroom.ingest.table_columns import read_columns
from darkroom.params.data import Columns

ADDRESS = r"(?i:https?://)"
SCHEME = r"(?i:[a-z][a-z0-9+.\-]+://)"
SPLITS = {**SPLIT_FOLDERS, **{name: name for name in SPLIT_NAMES}}


@dataclass(frozen=True)
class Table:
    """A table; the location of an entry is its path relative to the table's folder, or its address."""

    file: Path
    raw: Path  # no path may leave this folder
    columns: Columns
    downloads: Path  # where what web addresses gave is kept
    bucket: Bucket | None = None  # where the files are, if not beside the table
    labelled: ClassVar[bool] = True

    def walk(self) -> Iterator[Entry]:
        """Yield an entry for each path or address; a row with a mistake is refused with the reason.

        Raises UserError when the table cannot be read or has not the columns that params.yaml names.
        """
        depth = len(self.file.parent.relative_to(self.raw).parts)
        top = "the table's folder" if self.bucket else "data/raw/"
        rows = _with_problems(read_columns(self.file, self.columns), depth, top).drop_duplicates("path")
        objects = {entry.path: entry for entry in self.bucket.walk()} if self.bucket else {}
        names = ("path", "label", "split", "group", "attributes", "problem")
        for path, label, split, group, attributes, problem in zip(
            *(rows[name].tolist() for name in names), strict=True
        ):
            local = not (problem or is_address(path) or is_bucket(path))
            size, stamp, problem = self._facts(path, objects) if local else (0, 0, problem)
            entry = Entry(path, size, label or None, split or None, group=group or None, location=path, stamp=stamp)
            entry.remote = is_bucket(path) or (local and self.bucket is not None)
            entry.attributes = attributes or None
            if problem:
                entry.error, entry.refused = problem, True
            yield entry

    def read(self, location: str) -> bytes:
        """Return the bytes of a file, or of what its address gives; raises OSError."""
        if is_address(location):
            from darkroom.ingest.downloads import fetch  # importing requests takes 0.2 s

            return fetch(location, self.downloads)
        if is_bucket(location):
            return read_object(location)
        if self.bucket is not None:
            return self.bucket.read(location)
        return (self.file.parent / location).read_bytes()

    def _facts(self, path: str, objects: dict[str, Entry]) -> tuple[int, int, str]:
        """Return the size of a file in bytes, its stamp, and why it cannot be read; `objects` are the bucket's."""
        if self.bucket is not None:
            found = objects.get(path)
            return (found.size, found.stamp, "") if found else (0, 0, "there is no such object beside the table")
        try:
            facts = os.stat(f"{self.file.parent}/{path}")  # noqa: PTH116 - a Path for each row takes seconds
        except (OSError, ValueError):
            return 0, 0, "there is no such file beside the table"
        regular = stat.S_ISREG(facts.st_mode)
        return (facts.st_size, facts.st_mtime_ns, "") if regular else (0, 0, "is not a regular file")


def is_address(path: str) -> bool:
    """Tell whether a path of a table is a web address."""
    return path[:8].lower().startswith(("http://", "https://"))


def _with_problems(rows: pd.DataFrame, depth: int, top: str) -> pd.DataFrame:
    """Return rows with plain paths, splits by their own names, and a `problem`, "" for none.

    `depth` is the number of folders between `top`, which no path may leave, and the table.
    """
    path = rows["path"].where(rows["path"] != "", "row " + (rows.index + 1).astype(str))
    address = path.str.match(ADDRESS) | path.str.match(OBJECT)
    other = path.str.match(SCHEME) & ~address
    local = ~address & ~other
    path = _plain(path, local)
    split = rows["split"].str.lower().map(SPLITS).fillna("")
    wrong = {  # of several the last one is reported
        "has no label": rows["label"] == "",
        "has no split": (rows["split"] == "") & bool((rows["split"] != "").any()),
        "has an unknown split; known: train, validation, test": (rows["split"] != "") & (split == ""),
        "only http, https, s3, gs and az addresses are fetched": other,
        "is an absolute path; give it relative to the table": local & path.str.match(r"/|[A-Za-z]:"),
        f"its path leads out of {top}": local & path.str.match(rf"(?:\.\.(?:/|$)){{{depth + 1}}}"),
        "is named more than once in the table": path.duplicated(keep=False),
        "is named more than once in the table, with different labels": _contradicted(path, rows["label"]),
        "has no path": rows["path"] == "",
    }
    problem = pd.Series("", index=rows.index, dtype="str")
    for reason, rows_with_it in wrong.items():
        problem[rows_with_it] = reason
    return rows.assign(path=path, split=split, problem=problem)


def _plain(path: pd.Series, local: pd.Series) -> pd.Series:
    """Return paths with slashes and without "." and "..", addresses as they are."""
    path = path.where(~local, path.str.replace("\\", "/", regex=False))
    odd = local & path.str.contains(r"(?:^|/)\.{0,2}(?:/|$)", regex=True)
    return path.where(~odd, path[odd].map(posixpath.normpath).reindex(path.index, fill_value=""))


def _contradicted(path: pd.Series, label: pd.Series) -> pd.Series:
    several = path.duplicated(keep=False)
    pairs = pd.DataFrame({"path": path[several], "label": label[several]}).drop_duplicates()
    return path.isin(pairs.loc[pairs["path"].duplicated(), "path"])
