"""Candidates compared as tasks of an executor, with all thumbnails in one file that the tasks map."""

import os
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import numpy as np

from darkroom.dedupe.alike import similarity
from darkroom.dedupe.candidate_tasks import Bounds, Files, mapped, parts, read_part, save
from darkroom.dedupe.candidates import as_pairs
from darkroom.execution.progress import progress
from darkroom.execution.tasks import in_order
from darkroom.images.packed import list_shards
from darkroom.images.thumbnails import THUMBNAIL_BYTES

PAIRS_PER_TASK = 2**10, 2**18  # at least and at most, a few seconds
SHARDS_PER_TASK = 16


def gather_thumbnails(images: Path, ids: np.ndarray, folder: Path, executor: Executor) -> Path:
    """Return a file with the thumbnails (n, THUMBNAIL_BYTES) of `ids` (n,) bytes, which are sorted; raises KeyError."""
    names, file, shards = save(folder / "ids.npy", ids), folder / "thumbnails", list_shards(images)
    with file.open("wb") as target:
        target.truncate(len(ids) * THUMBNAIL_BYTES)
    groups = [shards[start : start + SHARDS_PER_TASK] for start in range(0, len(shards), SHARDS_PER_TASK)]
    written = sum(in_order(executor, (partial(_copy_thumbnails, group, names, file) for group in groups)))
    if written < len(ids):
        raise KeyError(f"pictures of the manifest that are not below {images}: {len(ids) - written}")
    return file


def _copy_thumbnails(shards: Files, names: Path, file: Path) -> int:
    """Write the thumbnails of some shards to their places; return how many (runs in a worker).

    Not through a map: on a shared disk a machine would write whole pages, on which another has rows too.
    """
    import pyarrow.parquet as pq

    ids, written = mapped(names), 0
    with file.open("r+b", buffering=0) as target:
        for shard in shards:
            table = pq.read_table(shard, columns=["image_id", "thumbnail"])
            thumbnails = memoryview(table["thumbnail"].combine_chunks().buffers()[1])
            here = np.array(table["image_id"].to_pylist(), ids.dtype)
            rows = np.searchsorted(ids, here).clip(max=len(ids) - 1)
            for position in np.flatnonzero(ids[rows] == here).tolist():
                place = int(rows[position]) * THUMBNAIL_BYTES
                written += os.pwrite(target.fileno(), thumbnails[position * THUMBNAIL_BYTES :][:THUMBNAIL_BYTES], place)
    return written // THUMBNAIL_BYTES


def compare_candidates(files: Files, thumbnails: Path, count: int, threshold: float, executor: Executor) -> np.ndarray:
    """Return the candidates in `files`, sorted numbers (m,), whose similarity is at least `threshold`."""
    bounds = list(parts(files, count, PAIRS_PER_TASK))
    calls = (partial(_compare, files, part, thumbnails, count, threshold) for part in bounds)
    alike = progress(in_order(executor, calls), len(bounds), "packs of pairs of pictures")
    return np.concatenate([np.empty(0, np.int64), *alike])


def _compare(files: Files, part: Bounds, thumbnails: Path, count: int, threshold: float) -> np.ndarray:
    """Return which numbers of a part have the similarity (runs in a worker)."""
    numbers = read_part(files, part)
    rows = np.asarray(np.memmap(thumbnails, np.uint8, "r")).reshape(count, THUMBNAIL_BYTES)
    scores = similarity(rows, as_pairs(numbers, count), threshold)
    return np.asarray(numbers[scores >= threshold], np.int64)
