"""Facts of pictures that were decoded before, in a cache keyed by content: a picture is decoded only once."""

import json
import sqlite3
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import get_ident
from typing import Any

from darkroom.core.files import digest
from darkroom.images import convert, decode, facts, limits, scaling, thumbnails
from darkroom.images.convert import Depth

MODULES = (convert, decode, limits, scaling, thumbnails, facts)  # what decodes and measures
LIBRARIES = ("numpy", "pillow", "simplejpeg")  # that they compute with
KEYS_AT_ONCE = 500  # SQLite limits the number of values in a query
Known = dict[str, tuple[dict[str, Any], bytes]]  # sha256 -> facts of the manifest, thumbnail


def known_facts(cache: Path, depth: Depth) -> "KnownFacts":
    """Return what this code and these libraries have found at this depth; the files of others are deleted."""
    code = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in MODULES]
    file = cache / "facts" / f"{digest([code, *map(version, LIBRARIES), depth])[:20]}.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    for other in file.parent.iterdir():
        if not other.name.startswith(file.name):
            other.unlink(missing_ok=True)
    return KnownFacts(file)


@dataclass(frozen=True)
class KnownFacts:
    """What is known of contents, in a file that any process of this machine can use; empty where it cannot be used.

    Not on a network file system from several machines, where SQLite's locks do not hold.
    """

    file: Path

    def recall(self, contents: set[str]) -> Known:
        """Return what is known of some contents (their sha256)."""
        keys, found = sorted(contents), {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            query = f"SELECT content, facts, thumbnail FROM known WHERE content IN ({','.join('?' * len(some))})"
            for content, text, thumbnail in _run(self.file, query, some):
                found[content] = json.loads(text), thumbnail
        return found

    def remember(self, known: Known) -> None:
        """Store facts for the next run."""
        rows = [(content, json.dumps(facts), thumbnail) for content, (facts, thumbnail) in sorted(known.items())]
        _run(self.file, "INSERT OR IGNORE INTO known VALUES (?, ?, ?)", rows, many=True)


def _run(file: Path, statement: str, values: list[Any], many: bool = False) -> list[Any]:
    """Return the rows; none when the file cannot be used, because it only saves time."""
    try:
        database = _open(file, get_ident())
        with database:
            return (database.executemany if many else database.execute)(statement, values).fetchall()
    except sqlite3.OperationalError:  # locked, full, read-only
        return []
    except sqlite3.DatabaseError:  # damaged by a machine that went down; the next run makes a new one
        file.unlink(missing_ok=True)
        return []


@cache
def _open(file: Path, thread: int) -> sqlite3.Connection:  # noqa: ARG001
    """Return the database, opened once in each thread: a connection is bound to its own."""
    database = sqlite3.connect(file, timeout=60)
    database.execute("PRAGMA journal_mode=WAL")  # several processes write, and a killed one leaves it whole
    database.execute("PRAGMA synchronous=OFF")
    database.execute("CREATE TABLE IF NOT EXISTS known (content TEXT PRIMARY KEY, facts TEXT, thumbnail BLOB)")
    return database
