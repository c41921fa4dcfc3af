"""The pictures that `darkroom predict` is given: files, folders, globs, archives, tables, a list on stdin."""

import glob
import os
import posixpath
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.ingest.layout import Entry, is_system_file
from darkroom.ingest.listing import TABLE_SUFFIXES, open_source
from darkroom.ingest.sources import Folder, Source, archive_errors
from darkroom.serving.tables import table_paths

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file as the rows name it, and what reads its bytes; `read` raises OSError with the reason.

    Picklable: another process, in any folder, reads the same file.
    """

    path: str
    read: Callable[[], bytes]


Listing = Callable[[], Iterator[Picture]]  # the same pictures each time, listed anew: none is kept


@contextmanager
def open_inputs(paths: Sequence[str], left_out: Sequence[Path] = ()) -> Iterator[Listing]:
    """Yield what lists the pictures of `paths`, in their order; those of a folder sorted, folder by folder.

    A path is a file, a folder (any depth), a glob, an archive, a table with a column `path`, or "-": one path a line
    on stdin, which can be listed once. `left_out` are absolute paths of files that are no input. Raises UserError for a
    path that does not exist; what cannot be read later is an error of its picture.
    """
    with ExitStack() as stack:
        listings = [listing for path in paths for listing in _open(path, stack)]
        names = {path.name for path in left_out}
        yield lambda: (
            found
            for found in chain.from_iterable(listing() for listing in listings)
            if posixpath.basename(found.path) not in names or Path(found.path).absolute() not in left_out
        )


def _open(path: str, stack: ExitStack) -> list[Listing]:
    """Return a listing for each thing that an argument names."""
    if path == STDIN:
        return [_lines]
    if not os.path.lexists(path):  # a link to nothing is an error of its row
        return [listing for match in _matches(path) for listing in _open(match, stack)]
    lower, place = path.lower(), Path(path).absolute()
    if lower.endswith(TABLE_SUFFIXES):
        return [partial(_listed, place.parent, partial(table_paths, Path(path)))]
    if place.is_dir() or lower.endswith(ARCHIVE_SUFFIXES):
        return [partial(_inside, path.rstrip("/") or "/", stack.enter_context(open_source(place, path)))]
    return [partial(_listed, Path.cwd(), lambda: iter([path]))]


def _matches(pattern: str) -> list[str]:
    """Return what a glob names, sorted; with ** the files alone, which else would come once more with their folder."""
    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    found = sorted(match for match in matches if not is_system_file(Path(match).name))
    if "**" in pattern:
        found = [match for match in found if Path(match).is_file()]
    if not found:
        known = "a file, a folder, a quoted glob, an archive, a table (.csv, .parquet) or - for a list on stdin"
        raise UserError(f"{pattern}: does not exist, and no file matches; give {known}")
    return found


def _inside(name: str, source: Source) -> Iterator[Picture]:
    """Yield the pictures of a folder or an archive."""
    with archive_errors(name):
        for entry in _in_order(source):
            if not is_system_file(entry.path):
                path = posixpath.join(name, entry.path)
                read = partial(_refuse, entry.error) if entry.error else partial(source.read, entry.location)
                yield Picture(_printable(path), read)


def _in_order(source: Source) -> Iterator[Entry]:
    """Yield the entries of an archive in its own order, those of a folder sorted: of one folder at a time."""
    if not isinstance(source, Folder):
        yield from source.walk()
        return
    for _, entries in groupby(source.walk(), lambda entry: posixpath.dirname(entry.path)):
        yield from sorted(entries, key=attrgetter("path"))


def _refuse(reason: str) -> bytes:
    raise OSError(reason)


def _lines() -> Iterator[Picture]:
    lines = (os.fsdecode(line).rstrip("\r\n") for line in sys.stdin.buffer)
    return _listed(Path.cwd(), lambda: filter(None, lines))


def _listed(folder: Path, paths: Callable[[], Iterator[str]]) -> Iterator[Picture]:
    """Yield a picture for each path, relative to `folder`."""
    for path in paths():
        yield Picture(_printable(path), (folder / path).read_bytes)


def _printable(path: str) -> str:
    """Return a path that UTF-8 can hold: of a name that is no text a question mark stands for what cannot be read."""
    return path if path.isascii() else path.encode("utf-8", "replace").decode()
