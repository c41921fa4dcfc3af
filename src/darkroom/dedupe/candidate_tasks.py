"""Candidates for near duplicates as tasks of an executor: what candidates.find_candidates finds, beyond one memory.

Hashes and pairs pass through files, which the tasks map. A file is written under a name of its own and renamed, so that
a task made again and an earlier attempt of it that still runs do not meet.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np

from darkroom.core.files import publishing
from darkroom.dedupe.candidates import NEAREST, ORDERS, bit_orders, check_rows, close_in_order, merge, nearest_of
from darkroom.execution.tasks import in_order

PAIRS_PER_TASK = 2**20, 2**24  # about, at least and at most; the latter take some 1 GB of memory
TASKS = 32  # for fewer pairs than the most, so that no worker is left without work for long
ORDERS_AT_ONCE = 10  # so that the disk need not hold all pairs where thousands look alike
SAMPLES = 64  # of the pairs of a part, from which the parts are made equal in size
Files = list[Path]
Bounds = tuple[int, int]  # of the numbers of a part: whole rows


def find_candidate_files(hashes: np.ndarray, radius: int, folder: Path, executor: Executor) -> Files:
    """Return files of sorted numbers, lower row * n + higher row, whose union are the pairs of find_candidates.

    There is one for each order of the bits. Where pairs become too many, the nearest so far take the place of theirs.
    """
    check_rows(count := len(hashes))
    file, files = save(folder / "hashes.npy", hashes), Files()
    for start in range(0, ORDERS, ORDERS_AT_ONCE):
        numbers = range(start, min(start + ORDERS_AT_ONCE, ORDERS))
        calls = (partial(_write_order, file, radius, number, folder / f"order-{number:02d}.npy") for number in numbers)
        files += in_order(executor, calls)
        while merged := _too_many(files, NEAREST * count, count, executor):
            nearest = _nearest(files[:merged], file, count, folder / f"nearest-{uuid4().hex}", executor)
            files = nearest + files[merged:]
    return files


def _too_many(files: Files, most: int, count: int, executor: Executor) -> int:
    """Return how many files, from the first, have more than `most` different pairs; 0 if all of them have no more."""
    gross = np.cumsum([len(mapped(file)) for file in files])
    few = int(np.searchsorted(gross, most, "right"))  # so many files have no more, even if no pair is in two of them
    while few < len(files):
        seen = files[: 2 * few]
        calls = (partial(_merged_sizes, seen, few, part) for part in parts(seen, count, PAIRS_PER_TASK))
        too_many = np.flatnonzero(sum(in_order(executor, calls)) > most)
        if len(too_many):
            return few + 1 + int(too_many[0])
        few = len(seen)
    return 0


def _nearest(files: Files, hashes: Path, count: int, folder: Path, executor: Executor) -> Files:
    """Return files of the pairs that are among the nearest of their lower row or of their higher row, for `files`."""
    folder.mkdir()
    calls = (
        partial(_nearest_of_lower, files, part, hashes, folder / f"lower-{number}.npy", folder / f"turned-{number}.npy")
        for number, part in enumerate(parts(files, count, PAIRS_PER_TASK))
    )
    written = list(in_order(executor, calls))
    kept, by_higher = [lower for lower, _ in written], [higher for _, higher in written]
    more = (
        partial(_nearest_of_higher, by_higher, part, hashes, folder / f"higher-{number}.npy")
        for number, part in enumerate(parts(by_higher, count, PAIRS_PER_TASK))
    )
    kept += in_order(executor, more)
    for file in (*files, *by_higher):
        file.unlink()
    return kept


def _write_order(hashes: Path, radius: int, number: int, file: Path) -> Path:
    """Write the close pairs of one order of the bits (runs in a worker)."""
    return save(file, close_in_order(mapped(hashes), bit_orders()[number], radius))


def _merged_sizes(files: Files, few: int, part: Bounds) -> np.ndarray:
    """Return how many pairs of a part the first `few` + 1 files have, and with each file more (runs in a worker)."""
    found, sizes = read_part(files[:few], part), []
    for file in files[few:]:
        found = merge(found, read_part([file], part))
        sizes.append(len(found))
    return np.array(sizes)


def _nearest_of_lower(files: Files, part: Bounds, hashes: Path, file: Path, turned: Path) -> tuple[Path, Path]:
    """Write the pairs of a part that are among the nearest of their lower row, and all by the higher (in a worker)."""
    numbers, values = read_part(files, part), mapped(hashes)
    lower, higher = np.divmod(numbers, len(values))
    kept = save(file, numbers[nearest_of(lower, lower, higher, values)])
    return kept, save(turned, np.sort(higher * len(values) + lower))


def _nearest_of_higher(turned: Files, part: Bounds, hashes: Path, file: Path) -> Path:
    """Write the pairs that are among the nearest of their higher row, of which this is a part (in a worker)."""
    values = mapped(hashes)
    higher, lower = np.divmod(read_part(turned, part), len(values))
    kept = nearest_of(higher, lower, higher, values)
    return save(file, np.sort(lower[kept] * len(values) + higher[kept]))


def parts(files: Files, count: int, sizes: tuple[int, int]) -> Iterator[Bounds]:
    """Yield bounds that divide the numbers of all files into parts of about `sizes`; a row is in one part."""
    least, most = sizes
    size = min(max(sum(len(mapped(file)) for file in files) // TASKS, least), most)
    step = max(size // SAMPLES, 1)
    sample = np.sort(np.concatenate([mapped(file)[::step] for file in files]))
    edges = np.unique(np.concatenate([[0], sample[::SAMPLES] // count * count, [count * count]]))
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def read_part(files: Files, part: Bounds) -> np.ndarray:
    """Return the union of what sorted files have of a part, sorted."""
    slices = []
    for file in files:
        numbers = mapped(file)
        low, high = np.searchsorted(numbers, part)
        slices.append(np.array(numbers[low:high]))
    return merge(*slices)


def mapped(file: Path) -> np.ndarray:
    """Return the array of a file, mapped from disk."""
    return np.asarray(np.load(file, mmap_mode="r"))


def save(file: Path, array: np.ndarray) -> Path:
    """Write an array under a name that no other attempt uses, rename it and return `file`."""
    with publishing(file) as unfinished, unfinished.open("wb") as target:
        np.save(target, array)
    return file
