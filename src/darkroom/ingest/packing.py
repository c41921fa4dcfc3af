"""The packs of an ingest, kept in the cache until all are finished: a run that was stopped resumes after them."""

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
from darkroom.execution.scratch import SCRATCH
from darkroom.ingest.layout import Entry
from darkroom.ingest.sources import Reader

CODE = (Path(__file__).parent, Path(__file__).parent.parent / "images")  # what decides what a pack holds


class Pack(NamedTuple):
    """The files of a pack: its pictures, none where no file is one, and the facts of all, which are written last."""

    pictures: Path
    facts: Path
    finished: bool = False  # by an earlier run


@contextmanager
def pack_folder(cache: Path, source: Reader, known: str) -> Iterator[Path]:
    """Yield the folder for the packs of a source, which is deleted when the block succeeds.

    `known` names what is found out of each picture. Another process that packs the same source is waited for; what
    stopped runs of other sources left is deleted.
    """
    text = f"{SCRATCH.sub('', repr(source))} {known} {code_digest(*CODE)}"
    folder = cache / "packs" / sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(_lock(folder)):
        for other in set(folder.parent.glob("*/")) - {folder}:
            with suppress(Timeout), FileLock(_lock(other), timeout=0):
                shutil.rmtree(other)
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder)


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def find_pack(folder: Path, entries: list[Entry]) -> Pack:
    """Return the pack of some files; its name is that of no other files, nor of these after a change.

    It is finished when an earlier run has packed them, and their source tells that they have not changed since.
    """
    names = ("path", "size", "stamp", "label", "given_split", "group", "attributes", "feedback", "error", "refused")
    fields = list(map(attrgetter(*names, "location"), entries))
    name = sha256(repr(fields).encode()).hexdigest()[:20]
    facts = folder / f"{name}.facts"
    return Pack(folder / f"{name}.parquet", facts, facts.exists() and all(e.stamp or e.refused for e in entries))
