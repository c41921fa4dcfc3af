"""Repairing the MLflow store of a repository that was moved or copied: it contains absolute paths.

MLflow issue 3144 has been open since 2020; these four columns contain them.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
MARK = "/mlruns/"


def find_moved(store: Path, root: Path) -> int:
    """Return how many locations in the store name an mlruns folder other than root/mlruns."""
    with closing(sqlite3.connect(store)) as database:
        return sum(len(_moved_rows(database, table, column, root)) for table, column in COLUMNS)


def mend_moved(store: Path, root: Path) -> None:
    """Change those locations to root/mlruns: all of them or, on a failure, none."""
    with closing(sqlite3.connect(store)) as database, database:
        for table, column in COLUMNS:
            for row, location in _moved_rows(database, table, column, root):
                moved = _base(root) + _inside(location)
                database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (moved, row))


def _moved_rows(database: sqlite3.Connection, table: str, column: str, root: Path) -> list[tuple[int, str]]:
    """Return (rowid, location) of the local artefacts that the store expects in another folder.

    Those in a bucket, and those that somebody keeps in another folder on purpose, are not among them.
    """
    rows = database.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} LIKE '%{MARK}%'").fetchall()
    return [(row, location) for row, location in rows if _is_moved(location, root) and not _belongs(location, root)]


def _is_moved(location: str, root: Path) -> bool:
    """Return whether a local location exists below this root, or at least not where the store expects it."""
    if not location.startswith(("file://", "/")):
        return False
    here = root / "mlruns" / unquote(_inside(location))
    return here.exists() or not Path(unquote(urlsplit(location).path)).exists()


def _inside(location: str) -> str:
    return location.rsplit(MARK, 1)[1]


def _belongs(location: str, root: Path) -> bool:
    return location.startswith(_base(root) if location.startswith("file://") else f"{root}{MARK}")


def _base(root: Path) -> str:
    return (root / "mlruns").as_uri() + "/"
