"""A sample of the files of a source: headers of many, pixels of some."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from darkroom.images.decode import FORMATS, decode, silent_pillow
from darkroom.images.facts import is_greyscale
from darkroom.images.limits import UnreadablePicture
from darkroom.images.thumbnails import SIDE
from darkroom.ingest.examine import MAX_FILE_BYTES
from darkroom.ingest.ingest import UNKNOWN_SIZE
from darkroom.ingest.layout import Entry
from darkroom.ingest.sources import Folder, Source
from darkroom.ingest.table_source import Table

HEADERS = 2000
HEADER_BYTES = 100_000_000  # read at most, where a header cannot be read without its whole file
PIXELS = 200
DECODED = 300_000_000  # pixels at most: two or three seconds

T = TypeVar("T")


class Header(NamedTuple):
    """The size that a picture declares; only `error` for a file that is not an image."""

    width: int = 0
    height: int = 0
    error: str = ""


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return `count` of the items, or all if there are fewer, evenly spread."""
    rows = np.linspace(0, len(items) - 1, min(len(items), count)).astype(int)
    return [items[row] for row in rows]


def read_headers(source: Source, entries: list[Entry]) -> list[tuple[Entry, Header]]:
    """Return the headers of an evenly spread sample: of all entries up to HEADERS, or as many as HEADER_BYTES allow."""
    size = sum(_bytes_to_read(source, entry) for entry in entries) / max(len(entries), 1)
    count = min(HEADERS, max(1, int(HEADER_BYTES / size))) if size else HEADERS
    with silent_pillow():
        return [(entry, _header(source, entry)) for entry in spread(entries, count)]


def look_at_pixels(source: Source, sampled: list[tuple[Entry, Header]]) -> tuple[list[bool], list[str]]:
    """Return whether each picture of a smaller sample has no colour, and why some could not be decoded."""
    area = np.median([header.width * header.height for _, header in sampled])
    grey, errors = [], []
    with silent_pillow():
        for entry, _ in spread(sampled, int(np.clip(DECODED / area, 1, PIXELS))):
            try:
                pixels = decode(source.read(entry.location), SIDE, "squash", "white", "auto")
                grey.append(bool(is_greyscale(pixels[None])[0]))
            except (UnreadablePicture, OSError) as problem:
                errors.append(str(problem))
    return grey, errors


def _header(source: Source, entry: Entry) -> Header:
    if entry.size > MAX_FILE_BYTES:
        return Header(error=f"{entry.size:,} bytes is too large for an image")
    try:
        file = _local_file(source, entry) or BytesIO(source.read(entry.location))
        with Image.open(file, formats=FORMATS) as image:
            return Header(*image.size)
    except MemoryError:
        raise
    except Exception as problem:  # Pillow's parsers raise nearly anything on broken bytes
        return Header(error=getattr(problem, "strerror", None) or "not an image in a known format")


def _local_file(source: Source, entry: Entry) -> Path | None:
    """Return the file of an entry that has one of its own, so that no more than its header need be read."""
    if isinstance(source, Folder):
        return source.root / entry.path
    return source.file.parent / entry.path if isinstance(source, Table) and entry.size else None


def _bytes_to_read(source: Source, entry: Entry) -> int:
    return 0 if _local_file(source, entry) else entry.size or UNKNOWN_SIZE
