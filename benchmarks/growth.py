"""The data stages at 60,000, 250,000 and 1,000,000 rows: wanted time like n log n within a factor of 2, under 2 GB.

The rows are simulated (see simulated.py), once with random hashes and once, which is nastier, with clustered ones.
The reference is the smallest size: the growth is a size's time / (n log2 n) over that of the smallest. Times are CPU
seconds of the work, without the start of the process, which would make the growth look smaller.

With --ingest ARCHIVE all four stages run for real on an archive with the pictures of ARCHIVE many times over, each file
made different by some bytes behind its end.
"""

import argparse
import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

from data_stages import Timed, run_helper
from working_copy import WorkingCopy, print_table, working_copy

SIZES = (60_000, 250_000, 1_000_000)
STAGES = ("validate", "dedupe", "split")
PARTS = ("candidates", "thumbnails", "similarity")
BENCHMARKS = Path(__file__).parent


def simulate(copy: WorkingCopy, size: int, kind: str) -> None:
    """Leave simulated data in the working copy, and no other."""
    shutil.rmtree(copy.root / "data/images", ignore_errors=True)
    copy.measure("python", str(BENCHMARKS / "simulated.py"), str(size), kind)
    reports = copy.root / "reports"
    reports.mkdir(exist_ok=True)
    (reports / "ingest.json").write_text("{}")


def growth(seconds: list[float], sizes: list[int]) -> list[float]:
    """Return each time / (n log2 n), the first as 1."""
    each = [second / (size * math.log2(size)) for second, size in zip(seconds, sizes, strict=True)]
    return [one / each[0] for one in each]


def grow(copy: WorkingCopy, sizes: list[int], kind: str) -> None:
    """Run the search and the stages at each size; print time, growth and memory."""
    searches, stages = [], []
    for size in sizes:
        simulate(copy, size, kind)
        searches.append(run_helper(copy, "near_parts.py", "pairs.npy"))
        stages.append([run_helper(copy, "frame.py", name) for name in STAGES])
    shown = [f"{size:,}" for size in sizes]
    rows: list[list[Any]] = [[f"search: {part}", [said[part] for _, said in searches], ""] for part in PARTS]
    rows.append(["search: all", [said["cpu"] for _, said in searches], memory(searches)])
    for name, runs in zip(STAGES, zip(*stages, strict=True), strict=True):
        rows.append([name, [said["cpu"] for _, said in runs], memory(runs)])
    table = [[name, *seconds, *growth(seconds, sizes)[1:], peak] for name, seconds, peak in rows]
    header = [f"{kind}, CPU s", *shown, *(f"growth {size}" for size in shown[1:]), "largest size: MB"]
    print_table(header, *table)
    print_table(["pairs found", *shown], [kind, *(said["pairs"] for _, said in searches)])
    print_table(
        [f"{kind}, whole commands, wall s", *shown],
        *([name, *(runs[number][0].wall for runs in stages)] for number, name in enumerate(STAGES)),
    )


def memory(runs: Any) -> float:
    """Return the peak of all processes together of the last run, MB."""
    return float(runs[-1][0].together)


def write_repeated(archive: Path, repeated: Path, size: int) -> int:
    """Write an archive of at least `size` files, those of `archive` many times over; return how many."""
    with zipfile.ZipFile(archive) as source:
        files = [(entry.filename, source.read(entry)) for entry in source.infolist() if not entry.is_dir()]
    times = -(-size // len(files))
    with zipfile.ZipFile(repeated, "w", zipfile.ZIP_STORED) as target:
        for time in range(times):
            for name, data in files:
                path = Path(name)
                target.writestr(str(path.with_name(f"{time}-{path.name}")), data + time.to_bytes(4, "big"))
    return times * len(files)


def run_for_real(copy: WorkingCopy, archive: Path, size: int) -> None:
    """Run all four stages on the archive and on the larger one; print time, growth and memory."""
    repeated = copy.root / "data/raw/repeated.zip"
    count = write_repeated(archive, repeated, size)
    (copy.root / "data/raw" / archive.name).symlink_to(archive)
    with zipfile.ZipFile(archive) as source:
        small = sum(not entry.is_dir() for entry in source.infolist())
    runs: list[list[Timed]] = []
    for name in (archive.name, repeated.name):
        print(f"running on {name}", flush=True)
        shutil.rmtree(copy.root / ".cache", ignore_errors=True)
        copy.set({"ingest.source": name})
        runs.append([run_helper(copy, "frame.py", stage) for stage in ("ingest", *STAGES)])
    rows = []
    for number, stage in enumerate(("ingest", *STAGES)):
        costs = [run[number][0] for run in runs]
        seconds = [cost.cpu for cost in costs]
        walls, peaks = [cost.wall for cost in costs], [cost.together for cost in costs]
        rows.append([stage, *walls, *seconds, growth(seconds, [small, count])[1], *peaks, costs[1].largest])
    header = [f"{name} {size:,}" for name in ("wall s", "CPU s") for size in (small, count)]
    print_table(["for real", *header, "growth", f"MB {small:,}", f"MB {count:,}", "largest process"], *rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--kinds", nargs="+", choices=["random", "clustered"], default=["random", "clustered"])
    parser.add_argument(
        "--ingest", type=Path, metavar="ARCHIVE", help="a .zip with a folder of pictures for each class"
    )
    chosen = parser.parse_args()
    with working_copy() as copy:
        copy.env["PYTHONPATH"] = "src"
        if chosen.ingest:
            run_for_real(copy, chosen.ingest.resolve(), max(chosen.sizes))
            return
        for kind in chosen.kinds:
            grow(copy, chosen.sizes, kind)


if __name__ == "__main__":
    main()
