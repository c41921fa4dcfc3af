"""Decoded pixels of all packed pictures in one memory map, which grows by new pictures; tune to evaluate share it."""

import os
import shutil
from concurrent.futures import Executor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from darkroom.core.files import digest, publishing
from darkroom.core.fingerprint import code_digest
from darkroom.execution.locks import locked
from darkroom.execution.progress import progress
from darkroom.execution.tasks import in_order
from darkroom.images import decode as decoding
from darkroom.images.packed import list_shards, shard_ids, shard_pictures
from darkroom.images.scaling import DECODE_VERSION
from darkroom.params.schema import ImageParams

ID = np.dtype("S20")
MOST_UNSAFE = 2**28  # bytes of pixels that a power failure may take
LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "simplejpeg")  # their versions decide the pixels
NOT_DECODING = {"facts.py", "known.py", "packed.py", "suffixes.py", "thumbnails.py"}  # of the room of images


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
        known = pd.Index(stored)
        added = {shard: part[known.get_indexer(pd.Index(part)) < 0] for shard, part in names.items()}
        if added := {shard: part for shard, part in added.items() if len(part)}:
            _append(file, len(stored), added, options, executor)
            stored = _stored_ids(file, image_params.size)
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
    return file.with_suffix(".ids")


def _stored_ids(file: Path, side: int) -> np.ndarray:
    """Return the image_id of each picture that is whole in the map, in its order."""
    if not _ids_file(file).exists() or not file.exists():
        return np.empty(0, "U20")
    stored = np.fromfile(_ids_file(file), ID)  # without the last one, where a full disk has cut it
    whole = file.stat().st_size >= len(stored) * _picture_bytes(side)
    return stored.astype("U20") if whole else np.empty(0, "U20")


def _append(
    file: Path, stored: int, added: dict[Path, np.ndarray], options: dict[str, Any], executor: Executor
) -> None:
    """Decode pictures, `added` of each shard, each shard to a file of its own; put them behind the `stored` first ones.

    A worker does not write into the map: one of a process that was killed may write for a moment after the next one
    has begun, and on another machine nothing would tell it. What was decoded before a stop is kept.
    """
    folder = file.with_suffix(".decoded")
    folder.mkdir(exist_ok=True)
    calls = (partial(_decode_shard, shard, ids, folder, options) for shard, ids in added.items())
    with _Growing(file, stored, _picture_bytes(options["size"])) as growing:
        decoded = progress(in_order(executor, calls), len(added), "decoding packs of pictures")
        for ids, part in zip(added.values(), decoded, strict=True):
            growing.append(part, ids)
    shutil.rmtree(folder)


class _Growing:
    """The map and the names of its pictures, which are written when their pixels are safe on the disk."""

    def __init__(self, file: Path, stored: int, picture_bytes: int) -> None:
        self._file, self._names = file, _ids_file(file)
        self._waiting: list[np.ndarray] = []
        for path, length in ((file, stored * picture_bytes), (self._names, stored * ID.itemsize)):
            if path.exists() and path.stat().st_size > length:
                os.truncate(path, length)
        self._unsafe = 0

    def __enter__(self) -> Self:
        self._pixels = self._file.open("ab")
        return self

    def __exit__(self, *error: object) -> None:
        with self._pixels:
            self._settle()

    def append(self, part: Path, ids: np.ndarray) -> None:
        """Put the pictures of a file behind the others, and delete it."""
        self._unsafe += part.stat().st_size
        with part.open("rb") as source:
            shutil.copyfileobj(source, self._pixels, 2**24)
        part.unlink()
        self._waiting.append(ids)
        if self._unsafe > MOST_UNSAFE:
            self._settle()

    def _settle(self) -> None:
        self._pixels.flush()
        os.fsync(self._pixels.fileno())
        with self._names.open("ab") as file:
            file.write(b"".join(ids.astype(ID).tobytes() for ids in self._waiting))
        self._waiting, self._unsafe = [], 0


def _decode_shard(shard: Path, ids: np.ndarray, folder: Path, options: dict[str, Any]) -> Path:
    """Decode the pictures `ids` of one shard, in its order, to a file in `folder`, and return it (runs in a worker)."""
    target = folder / f"{shard.stem}-{digest(ids.tolist())[:20]}"
    if target.exists():  # of a run that was stopped
        return target
    wanted = set(ids.tolist())
    with publishing(target) as unfinished, unfinished.open("wb") as file:
        for name, data in zip(shard_ids(shard).tolist(), shard_pictures(shard), strict=True):
            if name in wanted:
                file.write(decoding.decode(data, **options).tobytes())
    return target
