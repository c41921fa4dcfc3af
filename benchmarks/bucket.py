"""Ingest of small pictures from a bucket whose every answer is late, by threads and one at a time, beside a folder.

The pictures are drawn, JPEG files of 64 x 64 in ten classes. The server is `slow_s3.py`, in a process of its own on the
same machine. Nothing is known from before. All must give the same manifest and the same packs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from working_copy import alternate, print_table

from darkroom.core.files import digest, file_digest
from darkroom.execution.workers import worker_pool
from darkroom.ingest.buckets import Bucket
from darkroom.ingest.ingest import pack
from darkroom.ingest.listing import list_files
from darkroom.ingest.sources import Folder, Source


def draw(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    for number in range(count):
        file = folder / f"class {number % 10}" / f"{number:06d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        small = random.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(small).resize((64, 64)).save(file)


@contextmanager
def served(folder: Path, pause: float) -> Iterator[None]:
    """Let the environment name a bucket server for `folder`."""
    command = [sys.executable, str(Path(__file__).with_name("slow_s3.py")), str(folder), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{int(server.stdout.readline())}"
        os.environ |= {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret"}
        try:
            yield
        finally:
            server.terminate()


def timed(source: Source, pool: Executor, one_at_a_time: bool = False) -> tuple[float, float, str]:
    """Return the seconds of listing and of packing, and a digest of all that was written."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        entries, _ = list_files(source, "the benchmark")
        listed = time.perf_counter()
        for entry in entries:
            entry.remote = entry.remote and not one_at_a_time
        manifest = Path(folder) / "manifest"
        pack(source, entries, Path(folder) / "images", manifest, Path(folder) / "cache", pool, "auto")
        packed = time.perf_counter()
        files = [file_digest(file) for file in [manifest, *sorted((Path(folder) / "images").iterdir())]]
        return listed - start, packed - listed, digest(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--pause", type=float, default=30, help="milliseconds before each answer")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        draw(folder, chosen.pictures)
        with served(folder, chosen.pause), worker_pool() as pool:
            timed(Folder(folder), pool)  # the processes start
            bucket = Bucket("s3://pictures")
            timings = alternate(
                chosen.rounds,
                lambda: timed(Folder(folder), pool),
                lambda: timed(bucket, pool),
                lambda: timed(bucket, pool, one_at_a_time=True),
            )
    assert len({result for runs in timings for _, _, result in runs}) == 1
    names = ("a folder on disk", "a bucket, by threads", "a bucket, one at a time in each process")
    rows = [
        [name, *(median(run[part] for run in runs) for part in (0, 1)), chosen.pictures / median(r[1] for r in runs)]
        for name, runs in zip(names, timings, strict=True)
    ]
    print_table(["", "listing s", "packing s", "pictures/s"], *rows)


if __name__ == "__main__":
    main()
