"""How much time and memory one picture may take: pixels, and the scans of a JPEG."""

import re

import numpy as np

MAX_PIXELS = 100_000_000  # decoding takes up to 9 bytes of memory a pixel
HEAVY = {"WEBP": 2, "AVIF": 2, "JPEG2000": 3}  # formats whose decoders take so many times as much: 16, 12, 23 bytes
MAX_SCANS = 10  # over all of MAX_PIXELS, as encoders write a progressive JPEG; a smaller one may have more
TIFF_SCANS = 100  # where libtiff stops
MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])", re.DOTALL)  # with a length behind it
LONG = 2**16  # bytes from which a file is not searched as a whole, or in the quick way
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
PROGRESSIVE = b"\xff\xc2"  # the start of such a frame


class UnreadablePicture(ValueError):
    """The bytes are not a picture, or cannot be decoded completely; the text is the reason."""


class LargePicture(UnreadablePicture):
    """The picture would take more time or memory than allowed."""


def require_size(width: int, height: int, max_pixels: int, kind: str | None = None) -> None:
    """Raise LargePicture for more than `max_pixels`, or the part of them that the format `kind` may have (HEAVY)."""
    max_pixels //= HEAVY.get(kind or "", 1)
    if width * height > max_pixels:
        raise LargePicture(f"{width}x{height} is more than {max_pixels:,} pixels")


def require_scans(data: bytes, kind: str | None, pixels: int, max_pixels: int) -> None:
    """Raise LargePicture when the JPEG data of a picture of format `kind` would be gone through too often.

    Each scan of a progressive JPEG takes as long as the first, even one of a few bytes; `max_pixels` times MAX_SCANS
    bounds the time. In a TIFF, where nobody writes such data, it counts with as many scans as libtiff allows.
    """
    scans = 1
    if kind in ("JPEG", "MPO") and pixels * _at_most(data) > max_pixels * MAX_SCANS:
        scans = count_scans(data)  # slow; never more than the marker's bytes, which are counted first
    elif kind == "TIFF" and PROGRESSIVE in data:
        scans = TIFF_SCANS
    if pixels * scans > max_pixels * MAX_SCANS:
        raise LargePicture(f"{scans} scans of {pixels:,} pixels take too long; save it as a baseline JPEG")


def _at_most(data: bytes) -> int:
    """Return how often the marker of a scan is in some bytes; `count` is slow where half a marker is frequent."""
    marker = b"\xff" + START_OF_SCAN
    if len(data) < LONG:
        return data.count(marker)
    pairs = (np.frombuffer(data, np.uint16, (len(data) - start) // 2, start) for start in (0, 1))
    return sum(int(np.count_nonzero(pair == np.frombuffer(marker, np.uint16))) for pair in pairs)


def first_scan(data: bytes) -> int:
    """Return where the first scan of a JPEG begins, behind its metadata."""
    place = 2
    while (found := MARKER.search(data, place)) and found[1] not in (START_OF_SCAN, END_OF_IMAGE):
        place = found.end() + _length(data, found.end())
    return found.start() if found else len(data)


def count_scans(data: bytes) -> int:
    """Return how many scans a JPEG has up to its end; pictures in its metadata or behind it do not count.

    Source of the format: ITU-T T.81, annex B.
    """
    scans, place = 0, 2
    while (found := MARKER.search(data, place)) and found[1] != END_OF_IMAGE:
        scans += found[1] == START_OF_SCAN
        place = found.end() + _length(data, found.end())
    return scans


def _length(data: bytes, place: int) -> int:
    return max(2, int.from_bytes(data[place : place + 2], "big"))
