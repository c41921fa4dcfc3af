"""Decoded pixels of all packed pictures in one memory map, which grows by new pictures; tune to evaluate share it."""

import os
import shutil
from concurrent.futures import Executor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkroom.core.files import digest, replacing
from darkroom.core.fingerprint import code_digest
from darkroom.execution.locks import locked
from darkroom.execution.progress import progress
from darkroom.images import decode as decoding
from darkroom.images.packed import list_shards, shard_ids, shard_pictures
from darkroom.images.scaling import DECODE_VERSION
from darkroom.params.schema import ImageParams

LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "simplejpeg")  # their versions decide the pixels
NOT_DECODING = {"packed.py", "suffixes.py", "thumbnails.py"}  # of the room of images


class Pixels:
    """Pictures (side, side, 3) uint8, mapped from disk: `pixels[rows]`, where row i is the picture `ids[i]`.

    `ids` is sorted. `places` are the positions in the file, which depend on what was decoded earlier; the rows do not.
    Pickled, it is mapped again from the same file.
    """

    def __init__(self, file: Path, side: int, places: np.ndarray) -> None:
        self.file = file
        self.places = places
        stored = _stored_ids(file, side)
        self.ids = stored[places]
        self._array = np.memmap(file, np.uint8, "r", shape=(len(stored), side, side, 3))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.places)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return the pictures of some rows, given in any way that indexes an array's first axis."""
        pictures: np.ndarray = self._array[self.places[rows]]
        return pictures

    def __reduce__(self) -> tuple[type["Pixels"], tuple[Path, int, np.ndarray]]:
        """Pickle the name of the file, not its content."""
        return Pixels, (self.file, self._array.shape[1], self.places)


def open_pixels(
    images: Path, image_params: ImageParams, cache: Path, executor: Executor, decoding: int = DECODE_VERSION
) -> Pixels:
    """Return the pixels of all pictures below `images`, brought to one size; new ones are decoded into `cache`.

    There is one map for each way to decode: parameters, version `decoding`, code and libraries. It only grows, by one
    process at a time, so others may read it meanwhile; an image_id names path and content, so a known picture is never
    decoded again.
    """
    options = image_params.model_dump() | {"decoding": decoding}
    names = {shard: shard_ids(shard) for shard in list_shards(images)}
    ids = np.sort(np.concatenate(list(names.values())))
    file = cache / "pixels" / f"{_key(options)}.pixels"
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{file}.lock")):
        stored = _stored_ids(file, image_params.size)
        added = ids[find_rows(stored, ids) < 0]
        if len(added):
            rows = {shard: find_rows(added, part) for shard, part in names.items()}
            decoded = _decode(file.with_suffix(".decoded"), options, rows, len(added), executor)
            _append(decoded, file, len(stored) * _picture_bytes(image_params.size))
            stored = np.concatenate([stored, added])
            with replacing(_ids_file(file)) as unfinished, unfinished.open("wb") as target:
                np.save(target, stored)
    return Pixels(file, image_params.size, find_rows(stored, ids))


def find_rows(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the position (n,) int64 of each wanted id among `ids`; -1 where it is not there."""
    return np.asarray(pd.Index(ids).get_indexer(pd.Index(wanted)), np.int64)


def _key(options: dict[str, Any]) -> str:
    """Return the name of the map: how pictures are decoded, by which code and which libraries."""
    code = code_digest(Path(decoding.__file__).parent, without=NOT_DECODING)
    return digest([options, *map(version, LIBRARIES), code])[:20]


def _picture_bytes(side: int) -> int:
    return side * side * 3


def _ids_file(file: Path) -> Path:
    return file.with_suffix(".ids.npy")


def _stored_ids(file: Path, side: int) -> np.ndarray:
    """Return the image_id of each picture that is whole in the map, in its order."""
    if not _ids_file(file).exists() or not file.exists():
        return np.empty(0, "U20")
    stored: np.ndarray = np.load(_ids_file(file))
    whole = file.stat().st_size >= len(stored) * _picture_bytes(side)
    return stored if whole else stored[:0]


def _decode(file: Path, options: dict[str, Any], rows: dict[Path, np.ndarray], count: int, executor: Executor) -> Path:
    """Decode pictures to a file of their own and return it; `rows` are theirs, for each shard, -1 for those left out.

    Not into the map: workers of a process that was killed may write for a moment after the next one has begun.
    """
    with replacing(file) as unfinished:
        _reserve(unfinished, count * _picture_bytes(options["size"]))
        jobs = [
            executor.submit(_decode_shard, shard, places, unfinished, options)
            for shard, places in rows.items()
            if (places >= 0).any()
        ]
        for job in progress(jobs, len(jobs), "decoding packs of pictures"):
            job.result()
    return file


def _decode_shard(shard: Path, rows: np.ndarray, file: Path, options: dict[str, Any]) -> None:
    """Decode the pictures of one shard that have a row into it (runs in a worker)."""
    side = options["size"]
    flat = np.memmap(file, np.uint8, "r+")
    pixels = flat.reshape(-1, side, side, 3)
    for row, data in zip(rows, shard_pictures(shard), strict=True):
        if row >= 0:
            pixels[row] = decoding.decode(data, **options)
    flat.flush()


def _reserve(file: Path, size: int) -> None:
    """Make a file of `size` bytes whose space is there: a full disk is an error now, not the end of a worker."""
    with file.open("wb") as target:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(target.fileno(), 0, size)
        target.truncate(size)


def _append(decoded: Path, file: Path, start: int) -> None:
    """Put what was decoded behind the first `start` bytes of the map."""
    if not start:
        decoded.replace(file)
        return
    with decoded.open("rb") as source, file.open("r+b") as target:
        target.seek(start)
        shutil.copyfileobj(source, target, 2**24)
        target.flush()
        os.fsync(target.fileno())  # before the names that say that it is there
    decoded.unlink()
