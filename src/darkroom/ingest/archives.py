"""What .zip and .tar have in common: names that may not leave them, sizes that grow too large, reading at a place."""

import os
import re
from functools import lru_cache
from io import FileIO
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.ingest.layout import Entry

BOMB_RATIO = 200  # times the packed size; pictures do not pack nearly as well
BOMB_BYTES = 10_000_000  # of a file: below this no ratio is suspicious, plain surfaces pack well
BOMB_TOTAL = 100_000_000  # bytes of a whole archive, likewise

ODD = re.compile(r"^[A-Za-z]:|(?:^|[\\/])\.{0,2}(?:[\\/]|$)")  # all below, and a/./b, a//b, ./a
LEADS_OUT = re.compile(r"^[\\/]|^[A-Za-z]:|(?:^|[\\/])\.\.(?:[\\/]|$)")


def archive_entry(name: str, size: int, location: object, reason: str, stamp: int) -> Entry:
    """Return the entry of a file inside an archive; refused for `reason`, or when its name leads out.

    `stamp` is that of the archive.
    """
    if not reason and ODD.search(name):
        plain = "/".join(part for part in name.split("/") if part not in ("", "."))
        reason = "its path leads out of the archive" if LEADS_OUT.search(name) else "" if plain else "has no name"
        name = name if reason else plain
    return Entry(name, error=reason, refused=True) if reason else Entry(name, size, location=location, stamp=stamp)


def refuse_repeats(entries: list[Entry]) -> list[Entry]:
    """Return sorted entries with one refused entry in place of several of one name: it is ambiguous."""
    if len({entry.path for entry in entries}) == len(entries):
        return entries
    kept: list[Entry] = []
    for entry in entries:
        if kept and kept[-1].path == entry.path:
            kept[-1] = Entry(entry.path, error="is one of several files of this name", refused=True)
        else:
            kept.append(entry)
    return kept


def require_plausible(expanded: int, file: Path) -> None:
    """Raise UserError when an archive of this expanded size in bytes would be a bomb."""
    if expanded > max(BOMB_TOTAL, BOMB_RATIO * file.stat().st_size):
        raise UserError(
            f"{file.name} expands to more than {BOMB_RATIO} times its size, like a bomb; unpack it yourself"
        )


def read_at(file: Path, offset: int, size: int) -> bytes:
    """Return `size` bytes from `offset`; raises OSError when the file ends before."""
    opened = _open(file)  # referenced while it is read: another thread may open the next archive, which closes this one
    data = os.pread(opened.fileno(), size, offset)
    if len(data) < size:
        raise OSError("damaged: the archive ends too early")
    return data


@lru_cache(maxsize=1)
def _open(file: Path) -> FileIO:
    """Return the file, opened once in each process."""
    return file.open("rb", buffering=0)
