"""ingest through Ray on two nodes of this machine over the local pool, and the memory of the driver as pictures grow.

1. `--files` small JPEG files are packed by the local pool and by Ray, in turns: CPU seconds of all processes, those of
   Ray's own services among them, and the digests of what was written.
2. `--simulated` pictures that no disk holds, each of another content, go through the packs: the driver's memory at the
   beginning, half way and at the end. With `--local` by the local pool, else by Ray.
"""

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread

import numpy as np
from PIL import Image
from working_copy import ROOT, print_table

from darkroom.core.files import digest, file_digest
from darkroom.execution.quiet import silence_libraries
from darkroom.execution.workers import prepare_workers, worker_pool
from darkroom.ingest.ingest import pack
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_files
from darkroom.ingest.sources import Folder, Reader

sys.path.insert(0, str(ROOT / "tests"))
SIDE = 32
TICKS = os.sysconf("SC_CLK_TCK")


def draw(folder: Path, count: int) -> None:
    """Write small JPEG files of two classes."""
    chance = np.random.default_rng(0)
    for label in "ab":
        (folder / label).mkdir(parents=True)
    for number in range(count):
        coarse = chance.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(folder / "ab"[number % 2] / f"{number:06d}.jpg")


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return what processes have used so far, with all that they have started."""
    from ray_cluster import descendants

    total = 0.0
    for pid in {each for first in pids for each in [first, *descendants(first)]}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / TICKS  # own, and of children that have ended
    return total


def timed(source: Reader, entries: Iterable[Entry], own: list[int]) -> tuple[float, float, str]:
    """Pack; return wall and CPU seconds of this process, its children and `own`, and a digest of what was written."""
    with tempfile.TemporaryDirectory() as name, worker_pool() as pool:
        folder, start, before = Path(name), time.monotonic(), cpu_seconds([os.getpid(), *own])
        pack(source, entries, folder / "images", folder / "manifest", folder / "cache", pool, "auto")
        wall, cpu = time.monotonic() - start, cpu_seconds([os.getpid(), *own]) - before
        files = [folder / "manifest", *sorted((folder / "images").iterdir())]
        return wall, cpu, digest([file_digest(file) for file in files])


@contextmanager
def ray_address(address: str) -> Iterator[None]:
    """Let worker_pool() use a cluster in the block."""
    os.environ["RAY_ADDRESS"] = address
    try:
        yield
    finally:
        import ray

        ray.shutdown()  # else this process ends with the cluster
        del os.environ["RAY_ADDRESS"]


def overhead(files: int, rounds: int) -> None:
    """Print the first table."""
    from ray_cluster import two_nodes

    with tempfile.TemporaryDirectory() as raw, tempfile.TemporaryDirectory(prefix="ray") as place:
        draw(Path(raw) / "pictures", files)
        source = Folder(Path(raw) / "pictures")
        entries, _ = list_files(source, "the benchmark")
        names = ("local pool", "Ray, two nodes", "again, its workers running")
        found: dict[str, list[tuple[float, float, str]]] = {name: [] for name in names}
        with two_nodes(Path(place)) as cluster:
            services = [node.pid for node in cluster.nodes]
            for _ in range(rounds):
                found["local pool"].append(timed(source, entries, []))
                with ray_address(cluster.address):
                    for name in names[1:]:
                        found[name].append(timed(source, entries, services))
    show(files, found)


def show(files: int, found: dict[str, list[tuple[float, float, str]]]) -> None:
    """Print medians, CPU over that of the first row, and whether all wrote the same."""
    middle = {name: [median(run[place] for run in runs) for place in (0, 1)] for name, runs in found.items()}
    reference = next(iter(middle.values()))[1]
    rows = [[name, f"{wall:.1f}", f"{cpu:.1f}", cpu / reference] for name, (wall, cpu) in middle.items()]
    print_table([f"{files:,} files", "wall s", "CPU s", "ratio"], *rows)
    print("digests equal:", len({each for runs in found.values() for *_, each in runs}) == 1)


@dataclass(frozen=True)
class Simulated:
    """Entries of pictures that are made when they are read."""

    count: int

    def __iter__(self) -> Iterator[Entry]:
        """Yield them by path."""
        for number in range(self.count):
            yield Entry(f"{number % 1000:03d}/{number:09d}.bmp", 822, f"{number % 1000:03d}", location=number)


@dataclass(frozen=True)
class Noise:
    """Bitmaps of 16x16 pixels, each of another content."""

    def read(self, location: int) -> bytes:
        """Return one of them."""
        pixels = np.random.default_rng(location).integers(0, 256, (16, 16, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "BMP")
        return file.getvalue()


def memory(count: int, local: bool) -> None:
    """Print the second table."""
    from ray_cluster import two_nodes

    with tempfile.TemporaryDirectory(prefix="ray") as place:
        if local:
            grow(count, "local pool")
            return
        with two_nodes(Path(place)) as cluster, ray_address(cluster.address):
            grow(count, "Ray, two nodes")


def grow(count: int, name: str) -> None:
    """Pack simulated pictures, and print the memory of this process meanwhile."""
    samples: list[float] = []
    ended = Event()

    def sample() -> None:
        while not ended.wait(1):
            samples.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6)

    thread = Thread(target=sample, daemon=True)
    thread.start()
    wall, _, _ = timed(Noise(), Simulated(count), [])
    ended.set()
    thread.join()
    marks = [samples[int(share * (len(samples) - 1))] for share in (0.1, 0.5, 0.9, 1)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    row = [f"{name}, {count:,}", f"{wall:.0f}", *(f"{mark:.0f}" for mark in marks), f"{peak:.0f}"]
    print_table(["simulated pictures", "wall s", "MB at 10 %", "50 %", "90 %", "the end", "most"], row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--simulated", type=int, default=1_000_000)
    parser.add_argument("--local", action="store_true")
    chosen = parser.parse_args()
    silence_libraries()
    prepare_workers("darkroom.ingest.ingest")  # as the stage does
    if chosen.files:
        overhead(chosen.files, chosen.rounds)
    if chosen.simulated:
        memory(chosen.simulated, chosen.local)


if __name__ == "__main__":
    main()
