"""A .zip, read in place: its directory once, then each file at its place.

`zipfile` takes twice as long for the directory, and each worker would read it again.
Source of the format: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.
"""

import bz2
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct, unpack_from
from typing import ClassVar

from darkroom.ingest.archives import BOMB_BYTES, BOMB_RATIO, archive_entry, read_at, require_plausible
from darkroom.ingest.layout import Entry

Place = tuple[int, int, int, int, int]  # offset of the local header, packed size, size, method, CRC-32

HEADER = Struct("<4s4xHH4xIIIHHH4xII")  # signature, flags, method, crc, sizes, lengths, attributes, offset
LOCAL = Struct("<4s22xHH")  # signature, lengths of name and extra
END = Struct("<4s6xHII")  # signature, files, size and offset of the directory
LARGE = 0xFFFFFFFF  # the true value is in the zip64 record
STORED, DEFLATED, BZIP2 = 0, 8, 12


@dataclass(frozen=True)
class ZipArchive:
    """A .zip with files that are stored, deflated or packed with bzip2."""

    file: Path
    labelled: ClassVar[bool] = False

    def walk(self) -> Iterator[Entry]:
        """Yield all files inside; those that may not be read are refused with the reason."""
        directory, shift = _read_directory(self.file)
        at = expanded = 0
        while at < len(directory):
            (signature, flags, method, crc, packed, size, names, extras, comments, attributes, offset) = (
                HEADER.unpack_from(directory, at)
            )
            if signature != b"PK\x01\x02":
                raise zipfile.BadZipFile("its directory is damaged")
            name = _text(directory[at + 46 : at + 46 + names]).replace("\\", "/")
            if packed == LARGE or size == LARGE or offset == LARGE:
                extra = directory[at + 46 + names : at + 46 + names + extras]
                size, packed, offset = _large_values(extra, [size, packed, offset])
            at += 46 + names + extras + comments
            if name.endswith("/"):
                continue
            expanded += size
            place = (offset + shift, packed, size, method, crc)
            yield archive_entry(name, size, place, _refusal(flags, attributes, place))
        require_plausible(expanded, self.file)

    def read(self, location: Place) -> bytes:
        """Return the bytes of one file; raises OSError when it is damaged."""
        offset, packed, size, method, crc = location
        signature, names, extras = LOCAL.unpack(read_at(self.file, offset, LOCAL.size))
        if signature != b"PK\x03\x04":
            raise OSError("damaged: not at its place in the archive")
        data = _unpacked(read_at(self.file, offset + LOCAL.size + names + extras, packed), size, method)
        if len(data) != size or zlib.crc32(data) != crc:
            raise OSError("damaged: its bytes are not those that were packed")
        return data


def _unpacked(data: bytes, size: int, method: int) -> bytes:
    """Return at most a byte more than `size`, whatever the data would expand to."""
    try:
        if method == DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
        return bz2.BZ2Decompressor().decompress(data, size + 1) if method == BZIP2 else data
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise OSError(f"damaged: {error}") from None


def _refusal(flags: int, attributes: int, place: Place) -> str:
    """Return why a file may not be read; nothing when it may."""
    _, packed, size, method, _ = place
    if stat.S_ISLNK(attributes >> 16):
        return "is a link"
    if flags & 1:
        return "is encrypted; pack it without a password"
    if method not in (STORED, DEFLATED, BZIP2):
        return f"is packed by a method that is not read here ({method}); pack it as an ordinary .zip"
    if size > BOMB_BYTES and size > BOMB_RATIO * packed:
        return f"expands to more than {BOMB_RATIO} times its packed size, like a bomb"
    if packed > size + size // 50 + 1000 or (method == STORED and packed != size):
        return "damaged: its packed size does not fit its size"
    return ""


def _text(name: bytes) -> str:
    """Return a name; many programs write UTF-8 without saying so."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")


def _large_values(extra: bytes, values: list[int]) -> list[int]:
    """Return the values with those that are LARGE read from the zip64 field, where they follow each other."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = unpack_from("<HH", extra, at)
        if kind == 1:
            field = Struct(f"<{values.count(LARGE)}Q").unpack_from(extra[at + 4 : at + 4 + length])
            large = iter(field)
            return [next(large) if value == LARGE else value for value in values]
        at += 4 + length
    return values


def _read_directory(path: Path) -> tuple[bytes, int]:
    """Return the central directory, and what to add to its offsets when something stands before the archive."""
    with path.open("rb") as file:
        start = max(0, file.seek(0, 2) - (1 << 16) - 98)  # longest comment, end record, zip64 records
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        _, files, size, offset = END.unpack_from(tail, at)
        if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07" and (files == 0xFFFF or LARGE in (size, offset)):
            at -= 76
            size, offset = unpack_from("<QQ", tail, at + 40)
        first = start + at - size
        if first < 0 or first < offset:
            raise zipfile.BadZipFile("its directory is not where it should be")
        file.seek(first)
        return file.read(size), first - offset
