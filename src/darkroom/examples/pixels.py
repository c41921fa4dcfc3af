"""Decoded pixels of all packed pictures in one memory map, made once and shared by tune, train and evaluate."""

from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
from filelock import FileLock

from darkroom.core.files import replacing
from darkroom.core.paths import cache_folder
from darkroom.execution.progress import progress
from darkroom.images import decode as decoding
from darkroom.images.packed import list_shards, shard_ids, shard_pictures
from darkroom.params.schema import ImageParams


@dataclass(frozen=True)
class Pixels:
    """`array`: (pictures, size, size, 3) uint8, mapped from disk; `ids`: the image_id of each row, sorted."""

    ids: np.ndarray
    array: np.ndarray


@dataclass(frozen=True)
class Examples:
    """Some rows of the pixels with their labels: `rows` int64, `labels` int32 (an index into `classes`).

    `weights` float32 and `copies` int32 are those of tables.SPLITS; None when all are 1.
    """

    pixels: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    weights: np.ndarray | None = None
    copies: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.rows)

    def for_training(self) -> "Examples":
        """Return what an epoch goes through: each row as often as its copies say."""
        if self.copies is None:
            return self
        chosen = np.repeat(np.arange(len(self)), self.copies)
        weights = None if self.weights is None else self.weights[chosen]
        return Examples(self.pixels, self.rows[chosen], self.labels[chosen], self.classes, weights)


def open_pixels(images: Path, look: ImageParams, cache: Path, executor: Executor) -> Pixels:
    """Return the pixels of all pictures below `images`, brought to one size; decoded when not yet in `cache`.

    The cache is keyed by the pictures and by how they are decoded; one process at a time fills it.
    """
    shards = list_shards(images)
    names = [shard_ids(shard) for shard in shards]
    ids = np.sort(np.concatenate(names))
    file = cache / "pixels" / f"{_key(ids, look)}.npy"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        if not file.exists():
            places = [np.searchsorted(ids, part) for part in names]
            _fill(file, look, shards, places, executor)
    return Pixels(ids, np.load(file, mmap_mode="r"))


def _key(ids: np.ndarray, look: ImageParams) -> str:
    """Return the name of the cache: what is decoded, how, by which code and library."""
    how = f"{look.model_dump_json()} {PIL.__version__} {Path(decoding.__file__).read_text(encoding='utf-8')}"
    return sha256(how.encode() + "".join(ids).encode()).hexdigest()[:20]


def _fill(file: Path, look: ImageParams, shards: list[Path], places: list[np.ndarray], executor: Executor) -> None:
    shape, how = (sum(map(len, places)), look.size, look.size, 3), look.model_dump()
    with replacing(file) as unfinished:
        np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape).flush()
        jobs = [
            executor.submit(_decode_shard, shard, rows, unfinished, how)
            for shard, rows in zip(shards, places, strict=True)
        ]
        for job in progress(jobs, len(jobs), "decoding packs of pictures"):
            job.result()


def _decode_shard(shard: Path, rows: np.ndarray, file: Path, how: dict[str, Any]) -> None:
    """Decode one shard's pictures into their rows of the memory map (runs in a worker)."""
    pixels = np.lib.format.open_memmap(file, mode="r+")
    for row, data in zip(rows, shard_pictures(shard), strict=True):
        pixels[row] = decoding.decode(data, **how)
    pixels.flush()


def load_examples(
    images: Path, splits: pd.DataFrame, look: ImageParams, names: tuple[str, ...], executor: Executor
) -> dict[str, Examples]:
    """Return the examples of the named splits, each in the order of image_id, each picture once.

    Pictures that balancing leaves out (copies 0) are not among them.
    """
    pixels = open_pixels(images, look, cache_folder(), executor)
    classes = tuple(sorted(splits["label"].unique()))
    splits = splits[splits["copies"] > 0]
    return {name: _select(pixels, splits[splits["split"] == name], classes) for name in names}


def _select(pixels: Pixels, part: pd.DataFrame, classes: tuple[str, ...]) -> Examples:
    rows = np.searchsorted(pixels.ids, part["image_id"].to_numpy(dtype=str))
    labels = np.searchsorted(np.array(classes), part["label"].to_numpy(dtype=str)).astype(np.int32)
    weights, copies = part["weight"].to_numpy(np.float32), part["copies"].to_numpy(np.int32)
    return Examples(pixels.array, rows, labels, classes, _unless_one(weights), _unless_one(copies))


def _unless_one(values: np.ndarray) -> np.ndarray | None:
    return None if (values == 1).all() else values
