"""A .tar, read in place; a compressed one, which cannot be read in any order, is expanded to a scratch file first."""

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from darkroom.core.errors import UserError
from darkroom.ingest.archives import archive_entry, read_at, require_plausible
from darkroom.ingest.layout import Entry

OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
DISK_RESERVE = 1_000_000_000  # bytes that stay free on the scratch disk


@dataclass(frozen=True)
class TarArchive:
    """A .tar without compression; the location of a file is its (offset, size)."""

    file: Path
    labelled: ClassVar[bool] = False

    def walk(self) -> Iterator[Entry]:
        """Yield all files inside; links and the like are refused."""
        stamp = self.file.stat().st_mtime_ns
        with self.file.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep a kilobyte for each file
                if not info.isdir():
                    place = info.offset_data, info.size
                    yield archive_entry(info.name, info.size, place, _refusal(info), stamp)
            file.seek(archive.offset)
            if file.read(512).strip(b"\0"):  # tarfile ends in silence at a header that it cannot read
                raise tarfile.ReadError("its list of files breaks off")

    def read(self, location: tuple[int, int]) -> bytes:
        """Return the bytes of one file."""
        return read_at(self.file, *location)


def _refusal(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link"
    if info.sparse is not None:
        return "is a sparse file; pack it without --sparse"
    return "" if info.isfile() else "is not a regular file"


def plain_tar(path: Path, scratch: Path) -> Path:
    """Return an uncompressed .tar of the same content: `path` itself, or a file of its path and time below `scratch`.

    Raises UserError before a bomb or a large archive has filled the disk.
    """
    with path.open("rb") as file:
        opener = OPENERS.get(file.read(2))
    if opener is None:
        return path
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - without .., which would lead out
    plain, expanded = scratch.joinpath(*whole.parts[1:]), 0
    plain.parent.mkdir(parents=True, exist_ok=True)
    with opener(path) as compressed, plain.open("wb") as out:
        while chunk := compressed.read(1 << 20):
            expanded += len(chunk)
            require_plausible(expanded, path)
            if shutil.disk_usage(scratch).free < DISK_RESERVE:
                raise UserError(f"{path.name} is too large to expand in {scratch.parent}; unpack it yourself", 1)
            out.write(chunk)
    shutil.copystat(path, plain)  # the stamp of its files
    return plain
