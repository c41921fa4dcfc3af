"""The search for candidates in tasks of the pool over that of one process: equal pairs, in less time and memory each.

The hashes are random, 5 % of them copies of others with five bits changed; or clustered, all of them copies of one in a
thousand, so that only the nearest pairs are kept. Where RAY_ADDRESS names a cluster, the tasks are its own, and what
they use is not measured; temporary files must then be on a disk that all nodes share (TMPDIR).

`driver` is the peak of the process that asks, until the pairs are found: in dedupe, those of the tasks are compared by
tasks, here they are brought together to be compared with those of one process. `together` is the peak of that process
and its workers. Files are what the tasks leave in their folder.
"""

import argparse
import hashlib
import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from working_copy import ROOT, WorkingCopy, empty_folder, print_table

RADIUS = 14
COPIES = 0.05
FLIPPED = 5  # bits of a copy
CLUSTER = 1000
SIZES = (1_000_000, 4_000_000)


def make_hashes(count: int, kind: str) -> np.ndarray:
    """Return hashes (n,) uint64."""
    chance = np.random.default_rng(0)
    copies = count if kind == "clustered" else int(count * COPIES)
    originals = chance.integers(0, 2**64, -(-count // CLUSTER) if kind == "clustered" else count, np.uint64)
    hashes = np.resize(originals, count)
    hashes[-copies:] = np.resize(originals, copies)
    for _ in range(FLIPPED):
        hashes[-copies:] ^= np.uint64(1) << chance.integers(0, 64, copies, np.uint64)
    return hashes


def search_in_tasks(hashes: np.ndarray, folder: Path) -> tuple[np.ndarray, float, float]:
    """Return the pairs (m, 2) that the tasks find, the peak of this process before it gets them, the MB of files."""
    from darkroom.dedupe.candidate_tasks import PAIRS_PER_TASK, find_candidate_files, parts, read_part
    from darkroom.dedupe.candidates import as_pairs
    from darkroom.execution.scratch import scratch_folder
    from darkroom.execution.tasks import in_order
    from darkroom.execution.workers import worker_pool

    with scratch_folder(folder) as scratch, worker_pool() as executor:
        files = find_candidate_files(hashes, RADIUS, scratch, executor)
        peak = peak_memory()
        calls = (partial(read_part, files, part) for part in parts(files, len(hashes), PAIRS_PER_TASK))
        numbers = np.concatenate(list(in_order(executor, calls)))
        size = sum(path.stat().st_size for path in scratch.rglob("*.npy"))
    return as_pairs(numbers, len(hashes)), peak, size / 1e6


def peak_memory() -> float:
    """Return the peak of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def search(count: int, kind: str, way: str, folder: Path) -> None:
    """Search; print what it took, and a digest of the pairs."""
    from darkroom.dedupe.candidates import find_candidates

    hashes, start = make_hashes(count, kind), time.perf_counter()
    if way == "tasks":
        pairs, peak, size = search_in_tasks(hashes, folder)
    else:
        pairs = find_candidates(hashes, RADIUS)
        peak, size = peak_memory(), 0.0
    seconds = time.perf_counter() - start
    digest = hashlib.sha256(pairs.tobytes()).hexdigest()
    print(json.dumps({"wall": seconds, "driver": peak, "files": size, "pairs": len(pairs), "digest": digest}))


def compare(copy: WorkingCopy, count: int, kind: str) -> list[list[Any]]:
    """Return a row for each way; exits when the pairs differ."""
    rows, digests = [], set()
    for way in ("one process", "tasks"):
        options = ["--search", way, "--sizes", str(count), "--kinds", kind]
        cost = copy.measure(sys.executable, str(Path(__file__).resolve()), *options, sampled=True)
        said = json.loads(cost.output.splitlines()[-1])
        digests.add(said["digest"])
        figures = [said["wall"], cost.cpu, said["driver"], cost.together, said["files"], said["pairs"] / count]
        rows.append([f"{count:,} {kind}, {way}", *figures])
    if len(digests) > 1:
        sys.exit(f"{count:,} {kind} rows: the pairs differ")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--kinds", nargs="+", default=["random"], choices=["random", "clustered"])
    parser.add_argument("--search", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.search:
        search(chosen.sizes[0], chosen.kinds[0], chosen.search, Path.cwd())
        return
    with empty_folder() as copy:
        copy.env["PYTHONPATH"] = str(ROOT / "src")
        rows = [row for kind in chosen.kinds for count in chosen.sizes for row in compare(copy, count, kind)]
    print_table(["rows", "wall s", "CPU s", "driver MB", "together MB", "files MB", "pairs a row"], *rows)
    print("equal pairs")


if __name__ == "__main__":
    main()
