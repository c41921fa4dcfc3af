"""The packs of an ingest, kept in the cache until all are finished: a stopped run goes on behind them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from darkroom.core.fingerprint import code_digest
from darkroom.execution.locks import locked
from darkroom.ingest.layout import Entry
from darkroom.ingest.sources import Reader

CODE = (Path(__file__).parent, Path(__file__).parent.parent / "images")  # what decides what a pack holds


class Pack(NamedTuple):
    """The files of a pack: its pictures, none where no file is one, and the facts of all, which are written last."""

    pictures: Path
    facts: Path


@contextmanager
def pack_folder(cache: Path, source: Reader, known: str) -> Iterator[Path]:
    """Yield the folder for the packs of a source, which is deleted when the block succeeds.

    `known` names what is found out of each picture. Another process that packs the same source is waited for; what
    stopped runs of other sources left is deleted.
    """
    text = f"{source!r} {known} {code_digest(*CODE)}"
    folder = cache / "packs" / sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    folder.mkdir(parents=True, exist_ok=True)
    with locked(_lock(folder)):
        for other in folder.parent.glob("*/"):
            with suppress(Timeout), FileLock(_lock(other), timeout=0):
                shutil.rmtree(other)
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder)


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def pack_name(entries: list[Entry]) -> str:
    """Return the name of the pack of some files: that of no other files, nor of these after a change."""
    names = ("path", "size", "stamp", "label", "given_split", "group", "attributes", "feedback", "error", "refused")
    fields = list(map(attrgetter(*names, "location"), entries))
    return sha256(repr(fields).encode()).hexdigest()[:20]


def pack_files(folder: Path, name: str) -> Pack:
    """Return the files of a pack."""
    return Pack(folder / f"{name}.parquet", folder / f"{name}.facts")


def is_finished(folder: Path, name: str, entries: list[Entry]) -> bool:
    """Tell whether an earlier run has packed these files, which show that they have not changed since."""
    return pack_files(folder, name).facts.exists() and all(entry.stamp or entry.refused for entry in entries)
