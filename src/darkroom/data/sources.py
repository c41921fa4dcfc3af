"""Where pictures come from: a folder, a .zip or a .tar, all read the same way and never unpacked."""

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from darkroom.errors import UserError

# what the standard library raises on damaged or encrypted archives, beside OSError
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError)

BOMB_BYTES = 10_000_000  # below this no ratio is suspicious: plain surfaces pack well
BOMB_RATIO = 200


class Member(NamedTuple):
    """A file of a source: its path inside ("/" between folders), its size in bytes, why it may not be read."""

    path: str
    size: int
    refused: str = ""


class Source(Protocol):
    """Files that any process can read; picklable."""

    def members(self) -> list[Member]:
        """Return all files, sorted by path."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of one file; raises OSError."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder on disk."""

    root: Path

    def members(self) -> list[Member]:
        """Return all files below, sorted by path; linked folders are followed."""
        found = []
        for folder, below, names in os.walk(self.root, followlinks=True, onerror=_refuse):
            here = Path(folder).resolve()
            below[:] = [name for name in below if not here.is_relative_to((here / name).resolve())]  # a link upwards
            for name in names:
                path = Path(folder, name)
                size = path.stat().st_size if path.exists() else 0  # a dangling link fails when it is read
                found.append(Member(path.relative_to(self.root).as_posix(), size))
        return sorted(found)

    def read(self, path: str) -> bytes:
        """Return the bytes of one file."""
        return (self.root / path).read_bytes()


def _refuse(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class ZipArchive:
    """A .zip, read in place."""

    file: Path

    def members(self) -> list[Member]:
        """Return all files inside, sorted by path."""
        entries = [entry for entry in _open_zip(self.file).infolist() if not entry.is_dir()]
        names = Counter(entry.filename for entry in entries)
        by_name = {entry.filename: entry for entry in entries}
        return sorted(Member(name, entry.file_size, _zip_refusal(entry, names)) for name, entry in by_name.items())

    def read(self, path: str) -> bytes:
        """Return the bytes of one file; raises OSError when it is damaged or encrypted."""
        try:
            return _open_zip(self.file).read(path)
        except DAMAGED as error:
            raise OSError(str(error)) from error


@dataclass(frozen=True)
class TarArchive:
    """A .tar without compression, read in place: (offset, size) of each file; links and the like are refused."""

    file: Path
    offsets: dict[str, tuple[int, int]]
    refused: tuple[Member, ...] = ()

    def members(self) -> list[Member]:
        """Return all files inside, sorted by path."""
        return sorted([*(Member(path, size) for path, (_, size) in self.offsets.items()), *self.refused])

    def read(self, path: str) -> bytes:
        """Return the bytes of one file."""
        offset, size = self.offsets[path]
        with self.file.open("rb") as file:
            file.seek(offset)
            return file.read(size)


@contextmanager
def open_source(path: Path, where: str) -> Iterator[Source]:
    """Open a folder or an archive; raises UserError starting with `where` when it cannot be read."""
    if path.is_dir():
        yield Folder(path)
    elif not path.exists():
        raise UserError(f"{where}: {path.name} does not exist in {path.parent}; {_offers(path.parent)}")
    elif _is_zip(path, where):
        yield ZipArchive(path)
    elif _is_tar(path, where):
        with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
            yield _open_tar(path, Path(folder), where)
    else:
        raise UserError(
            f"{where}: {path.name} is neither a folder nor a whole .zip or .tar; copy it again if it should be"
        )


def _offers(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return (
        f"there is: {', '.join(names[:10])}"
        if names
        else f"put a folder of class folders, a .zip or a .tar into {folder}"
    )


@contextmanager
def _damage_said(path: Path, where: str) -> Iterator[None]:
    """Turn what a damaged archive raises into a UserError."""
    try:
        yield
    except (OSError, *DAMAGED) as error:
        raise UserError(f"{where}: {path.name} is a damaged archive: {error}") from None


def _is_zip(path: Path, where: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with _damage_said(path, where):
        _open_zip(path)
    return True


def _is_tar(path: Path, where: str) -> bool:
    with _damage_said(path, where):
        return tarfile.is_tarfile(path)


def _open_tar(path: Path, scratch: Path, where: str) -> TarArchive:
    """Return a tar whose files can be read in any order; a compressed one is first expanded to `scratch`."""
    with _damage_said(path, where):
        plain = path if _is_plain_tar(path) else _expand(path, scratch / "plain.tar")
        with tarfile.open(plain, "r:") as archive:
            entries = [info for info in archive if not info.isdir()]
    names = Counter(_tar_name(info) for info in entries)
    refusals = {_tar_name(info): _tar_refusal(info, names) for info in entries}
    offsets = {name: (info.offset_data, info.size) for info in entries if not refusals[name := _tar_name(info)]}
    return TarArchive(plain, offsets, tuple(Member(name, 0, reason) for name, reason in refusals.items() if reason))


def _tar_name(info: tarfile.TarInfo) -> str:
    return info.name.removeprefix("./")


def _tar_refusal(info: tarfile.TarInfo, names: "Counter[str]") -> str:
    """Return why a file of a .tar may not be read; nothing when it may."""
    if info.issym() or info.islnk():
        return "is a link"
    return "is no ordinary file" if not info.isfile() else _name_refusal(_tar_name(info), names)


def _zip_refusal(entry: zipfile.ZipInfo, names: "Counter[str]") -> str:
    """Return why a file of a .zip may not be read; nothing when it may."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.file_size > BOMB_BYTES and entry.file_size > BOMB_RATIO * entry.compress_size:
        return f"expands to more than {BOMB_RATIO} times its packed size, like a bomb"
    return _name_refusal(entry.filename, names)


def _name_refusal(name: str, names: "Counter[str]") -> str:
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
        return "its path leads out of the archive"
    return "is one of several files of this name" if names[name] > 1 else ""


def _is_plain_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:"):
            return True
    except tarfile.TarError:
        return False


def _expand(path: Path, plain: Path) -> Path:
    openers: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with path.open("rb") as file:
        opener = openers[file.read(2)]
    with opener(path) as compressed, plain.open("wb") as expanded:
        shutil.copyfileobj(compressed, expanded, 1 << 20)
    return plain


@cache
def _open_zip(file: Path) -> zipfile.ZipFile:
    """Return the archive, opened once in each process: its directory of 60,000 names takes half a second."""
    return zipfile.ZipFile(file)
