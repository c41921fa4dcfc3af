"""The cache of decoded pixels: what one new picture costs, beside decoding all, and how fast its rows are read.

The pictures are drawn, JPEG files of 64 x 64; a batch of the second table is 128 rows drawn from all, beside the same
rows of a plain memory map of NumPy. Both are read once before.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image
from working_copy import print_table

from darkroom.examples.pixel_cache import ID, Pixels, find_rows, open_pixels
from darkroom.execution.workers import worker_pool
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.params.load import load_params

PER_SHARD = 512
BATCH = 128
BATCHES = 200
ROUNDS = 3


def write_pictures(folder: Path, start: int, count: int) -> None:
    """Write shards of drawn pictures, numbered from `start`."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(start)
    small = random.integers(0, 256, (64, 8, 8, 3), np.uint8)
    files = []
    for picture in small:
        Image.fromarray(picture).resize((64, 64)).save(file := io.BytesIO(), "JPEG")
        files.append(file.getvalue())
    for first in range(start, start + count, PER_SHARD):
        numbers = range(first, min(first + PER_SHARD, start + count))
        rows = [(f"{n * 7919 % 2**64:020x}", files[n % len(files)], bytes(THUMBNAIL_BYTES)) for n in numbers]
        write_shard(folder / f"part-{first:07d}.parquet", rows)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def growing(root: Path, count: int, size: int, pool: Executor) -> list[list[Any]]:
    """Return the rows of the first table."""
    image_params = load_params(Path("params.yaml")).image.model_copy(update={"size": size})
    images = root / "images"

    def opening() -> float:
        return seconds(lambda: open_pixels(images, image_params, root / "cache", pool))

    write_pictures(images, 0, count)
    rows: list[list[Any]] = [[f"all {count:,}", opening()], ["nothing new", opening()]]
    write_pictures(images, count, 1)
    return [*rows, ["one new picture", opening()]]


def reading(root: Path, count: int, size: int) -> list[list[Any]]:
    """Return the rows of the second table: rows a second, ours and the reference in turns."""
    (file,) = (root / "cache" / "pixels").glob("*.pixels")
    stored = np.fromfile(file.with_suffix(".ids"), ID).astype("U20")
    ours = Pixels(file, size, find_rows(stored, np.sort(stored)))
    plain = np.memmap(file, np.uint8, "r", shape=(len(stored), size, size, 3))
    random = np.random.default_rng(0)
    batches = [random.integers(0, min(count, len(plain)), BATCH) for _ in range(BATCHES)]
    passed: dict[str, list[float]] = {"this cache": [], "a plain memory map": []}
    for number in range(ROUNDS + 1):
        for name, pixels in zip(passed, (ours, plain), strict=True):
            took = seconds(lambda pixels=pixels: [pixels[rows] for rows in batches])
            if number:  # the first one reads from the disk
                passed[name].append(took)
    return [[name, f"{BATCH * BATCHES / median(took):,.0f}"] for name, took in passed.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60_000)
    parser.add_argument("--size", type=int, default=224)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, worker_pool() as pool:
        list(pool.map(abs, range(8)))  # its processes stand
        print_table(["decoded", "s"], *growing(Path(folder), chosen.pictures, chosen.size, pool))
        print_table(["read", "rows/s"], *reading(Path(folder), chosen.pictures, chosen.size))


if __name__ == "__main__":
    main()
