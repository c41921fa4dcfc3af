"""One shard's files read, measured and packed; what runs in the worker processes of ingest."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from darkroom.core.errors import UserError
from darkroom.core.files import publishing
from darkroom.core.tables import MANIFEST
from darkroom.execution.cluster import ask_nodes
from darkroom.images.convert import Depth
from darkroom.images.decode import inspect, silent_pillow
from darkroom.images.facts import measure_pictures
from darkroom.images.known import Known, KnownFacts
from darkroom.images.limits import UnreadablePicture
from darkroom.images.packed import write_shard
from darkroom.ingest.layout import Entry, as_text
from darkroom.ingest.manifest import write_part
from darkroom.ingest.packing import Pack
from darkroom.ingest.sources import Reader, read_each

MAX_FILE_BYTES = 256_000_000  # larger ones are videos and archives, not pictures
PICTURES_AT_ONCE = 256  # decoded and in memory
PIXELS_AT_ONCE = 40_000_000
Row = dict[str, Any]


class Content(NamedTuple):
    """What a file holds: its bytes and their sha256, or why it could not be read."""

    data: bytes
    sha256: str | None
    error: str | None


def pack_shard(source: Reader, entries: list[Entry], pack: Pack, memory: KnownFacts, depth: Depth) -> None:
    """Read one shard's files, and write the pictures and their part of the manifest."""
    contents = read_each(partial(_read, source), entries)
    wanted = {
        content.sha256: content.data
        for entry, content in zip(entries, contents, strict=True)
        if content.sha256 and content.error is None and entry.error is None
    }
    known = _recalled(memory, set(wanted))
    new = _measure({name: data for name, data in wanted.items() if name not in known}, depth)
    with suppress(OSError, EOFError):  # the driver does not answer: it only saves time
        memory.remember(new)
    known |= new
    rows = [_row(entry, content, known) for entry, content in zip(entries, contents, strict=True)]
    pictures = [
        (row["image_id"], content.data, known[row["sha256"]][1])
        for row, content in zip(rows, contents, strict=True)
        if row["error"] is None
    ]
    pack.pictures.unlink(missing_ok=True)  # of an attempt that was stopped, when a file could still be read
    if pictures:
        with publishing(pack.pictures) as unfinished:
            write_shard(unfinished, pictures)
    with publishing(pack.facts) as unfinished:
        write_part(unfinished, rows)


def _recalled(memory: KnownFacts, contents: set[str]) -> Known:
    with suppress(OSError, EOFError):
        return memory.recall(contents)
    return {}


def require_same_everywhere(source: Reader, entries: Iterable[Entry]) -> None:
    """Raise UserError unless each node of the cluster reads what this machine reads: the first readable file."""
    here = next(((entry, digest) for entry in entries if (digest := _digest(source, entry))), None)
    if here is None:
        return
    for node, found in ask_nodes(_digest, source, here[0]).items():
        if found != here[1]:
            what = f"node {node.address} does not read {as_text(here[0].path)} as this machine does"
            raise UserError(f"{what}; mount the source there at the same path, and give it the same credentials", 1)


def _digest(source: Reader, entry: Entry) -> str:
    """Return the sha256 of a file, "" where it cannot be read."""
    return _read(source, entry).sha256 or ""


def _read(source: Reader, entry: Entry) -> Content:
    if entry.refused:
        return Content(b"", None, entry.error)
    if entry.size > MAX_FILE_BYTES:
        return Content(b"", None, f"{entry.size:,} bytes is too large for a picture")
    try:
        data = source.read(entry.location)
    except OSError as problem:
        return Content(b"", None, f"cannot be read: {problem.strerror or problem}")
    return Content(data, hashlib.sha256(data).hexdigest(), None)


def _measure(contents: dict[str, bytes], depth: Depth) -> Known:
    """Return facts and thumbnail of each content; only {"error": why} of one that is not a picture."""
    known: Known = {}
    stored: dict[str, Row] = {}
    pictures: list[np.ndarray] = []
    pixels = 0
    with silent_pillow():
        for name, data in contents.items():
            try:
                stored[name], picture = inspect(data, depth)
            except UnreadablePicture as problem:
                known[name] = {"error": str(problem)}, b""
                continue
            pictures.append(picture)
            pixels += picture.size // 3
            if len(pictures) == PICTURES_AT_ONCE or pixels > PIXELS_AT_ONCE:
                known |= _facts_of(stored, pictures)
                stored, pictures, pixels = {}, [], 0
    return known | _facts_of(stored, pictures)


def _facts_of(stored: dict[str, Row], pictures: list[np.ndarray]) -> Known:
    if not pictures:
        return {}
    measured, thumbnails = measure_pictures(pictures)
    columns = {name: values.tolist() for name, values in measured.items()}
    return {
        name: (facts | {column: values[row] for column, values in columns.items()}, thumbnails[row].tobytes())
        for row, (name, facts) in enumerate(stored.items())
    }


_NOTHING = dict.fromkeys(MANIFEST)


def _row(entry: Entry, content: Content, known: Known) -> Row:
    """Return the manifest row of one file."""
    path = as_text(entry.path)
    facts = known[content.sha256][0] if content.sha256 in known and entry.error is None else {}
    return {
        **_NOTHING,
        "image_id": hashlib.sha256(f"{path}\0{content.sha256}".encode()).hexdigest()[:20],
        "path": path,
        "label": None if entry.label is None else as_text(entry.label),
        "given_split": entry.given_split,
        "group": None if entry.group is None else as_text(entry.group),
        "attributes": entry.attributes,
        "feedback": entry.feedback,
        "sha256": content.sha256,
        "bytes": len(content.data) if content.sha256 else entry.size,
        **facts,
        "error": content.error or entry.error or facts.get("error"),
    }
