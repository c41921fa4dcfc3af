"""What a source of pictures is, how it is read, and the simplest: a folder, and the digits written to one."""

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from darkroom.core.errors import UserError, first_line
from darkroom.ingest.layout import Entry

# what the standard library raises on damaged archives, beside OSError
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    MemoryError,
)
# E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998), CC BY 4.0
LEVELS = 16  # the grey values are 0 to 16
REMOTE_AT_ONCE = 32  # reads of a process that wait for a network; 64 were no quicker
T = TypeVar("T")


class Reader(Protocol):
    """Files that any process can read; picklable and small, because it goes to a worker with each pack of files."""

    def read(self, location: Any) -> bytes:
        """Return the bytes of the entry with this location; raises OSError."""
        ...

    def __hash__(self) -> int:
        """Return the same for the same files."""
        ...


class Source(Reader, Protocol):
    """Files that can be listed too."""

    labelled: ClassVar[bool]  # whether the entries have their labels; else the folders give them

    def walk(self) -> Iterator[Entry]:
        """Yield an entry for each file, in any order; raises what `archive_errors` knows."""
        ...


def read_each(read: Callable[[Entry], T], entries: list[Entry]) -> list[T]:
    """Return what `read` makes of each entry, in order; threads read those that wait for a network."""
    if not any(entry.remote for entry in entries):
        return [read(entry) for entry in entries]
    with ThreadPoolExecutor(REMOTE_AT_ONCE) as threads:
        return list(threads.map(read, entries))


@dataclass(frozen=True)
class Folder:
    """A folder on disk."""

    root: Path
    labelled: ClassVar[bool] = False

    def walk(self) -> Iterator[Entry]:
        """Yield all files below. Linked folders are followed, but each folder is read once: see `_walk_once`."""
        start, linked = len(str(self.root)) + 1, [str(self.root)]
        seen: dict[tuple[int, int], str] = {}
        while linked:
            yield from _walk_once(linked.pop(0), start, seen, linked)

    def read(self, location: str) -> bytes:
        """Return the bytes of one file."""
        return (self.root / location).read_bytes()


def _walk_once(top: str, start: int, seen: dict[tuple[int, int], str], linked: list[str]) -> Iterator[Entry]:
    """Yield the files below the folder `top`; links to folders are added to `linked`, to be walked afterwards.

    So a folder keeps the place that it really has, and only what lies elsewhere is read through a link. One that was
    read before (`seen`: device and inode -> path) is refused: its pictures would count, and be labelled, twice.
    """
    for folder, below, names in os.walk(top, onerror=_refuse):
        facts = os.stat(folder)  # noqa: PTH116 - as below
        place = facts.st_dev, facts.st_ino
        if place in seen:
            below.clear()
            yield Entry(folder[start:], error=f"is the same folder as {seen[place] or 'the source'}", refused=True)
            continue
        seen[place] = folder[start:]
        below.sort()
        linked += [f"{folder}/{name}" for name in below if os.path.islink(f"{folder}/{name}")]  # noqa: PTH114
        for name in names:
            yield _file_entry(f"{folder}/{name}", start)


def _file_entry(file: str, start: int) -> Entry:
    """Return the entry of a file whose path begins `start` characters behind the beginning."""
    path = file[start:]
    try:
        facts = os.stat(file)  # noqa: PTH116 - a Path for each of a million files takes seconds
    except OSError as error:
        return Entry(path, error=f"cannot be read: {error.strerror}", refused=True)
    if not stat.S_ISREG(facts.st_mode):
        return Entry(path, error="is not a regular file", refused=True)  # a pipe would be waited for
    return Entry(path, facts.st_size, location=path, stamp=facts.st_mtime_ns)


def _refuse(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read: {error.strerror}") from None


def write_digits(folder: Path) -> None:
    """Write the digits below `folder` as <digit>/<number>.png, 8x8 greyscale."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = (digits.images * (255 / LEVELS)).round().astype("uint8")
    for number, (picture, digit) in enumerate(zip(pixels, digits.target, strict=True)):
        path = folder / str(digit) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


@contextmanager
def archive_errors(where: str) -> Iterator[None]:
    """Turn what a damaged archive raises into a UserError, and begin every UserError with `where`."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}", error.status) from None
    except (OSError, *DAMAGED) as error:
        if isinstance(error, OSError) and error.errno:  # no permission, a full disk; damage has no number
            raise UserError(f"{where}: cannot be read: {error.strerror}") from None
        raise UserError(f"{where}: is a damaged archive: {first_line(error)}") from None
