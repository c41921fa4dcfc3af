"""The four data stages on an archive of pictures: wanted under 60 s together for 60,000, under 1 GB of memory each.

Beside them a bare decode: the same files read from the archive and decoded by Pillow in as many processes, nothing
else. Wanted: ingest works at 0.7 of its rate or more, with nothing known from before. Rates are those of the work,
without the start of the processes; those of the whole commands stand beside them. Last, ingest again with new pictures
added to the archive, when it knows the others: wanted in seconds.
"""

import argparse
import json
import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from cost import Cost
from working_copy import WorkingCopy, alternate, middle, print_table, working_copy

STAGES = ("ingest", "validate", "dedupe", "split")
BENCHMARKS = Path(__file__).parent
NEW = 100  # pictures
Timed = tuple[Cost, dict[str, Any]]  # of a command, and the line that it printed


def run_stages(copy: WorkingCopy) -> list[Timed]:
    """Run the stages in order, with nothing known from before."""
    shutil.rmtree(copy.root / ".cache", ignore_errors=True)
    return [run_helper(copy, "frame.py", name) for name in STAGES]


def run_helper(copy: WorkingCopy, name: str, argument: Any) -> Timed:
    """Run a script of this folder; return its cost and the line that it printed."""
    cost = copy.measure("python", str(BENCHMARKS / name), str(argument), sampled=True)
    return cost, next(json.loads(line) for line in cost.output.splitlines() if line.startswith('{"'))


def add_pictures(copy: WorkingCopy, source: Path, larger: Path) -> Timed:
    """Run ingest on an archive with some new pictures; it knows those of `source`, which was packed before."""
    if not larger.exists():
        write_larger(source, larger)
    copy.set({"ingest.source": larger.name})
    timed = run_helper(copy, "frame.py", "ingest")
    copy.set({"ingest.source": source.name})
    return timed


def write_larger(source: Path, larger: Path) -> None:
    """Write a copy of an archive with NEW pictures more: some of its own, compressed again."""
    from PIL import Image

    shutil.copy(source, larger)
    larger.chmod(0o644)
    with zipfile.ZipFile(larger, "a") as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        for name in names[:: len(names) // NEW][:NEW]:
            file = BytesIO()
            Image.open(BytesIO(archive.read(name))).convert("RGB").save(file, "JPEG", quality=60)
            path = Path(name)
            archive.writestr(str(path.with_name(f"new-{path.name}")), file.getvalue())


def row(name: str, runs: list[Timed]) -> list[Any]:
    costs = [cost for cost, _ in runs]
    memory = max(cost.together for cost in costs), max(cost.largest for cost in costs)
    return [name, middle(costs), middle(costs, "cpu"), *memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    archive = chosen.archive.resolve()
    with working_copy() as copy:
        raw = copy.root / "data/raw"
        (raw / archive.name).symlink_to(archive)
        copy.set({"ingest.source": archive.name})
        copy.env["PYTHONPATH"] = "src"
        stages, decodes, added = alternate(
            chosen.rounds,
            lambda: run_stages(copy),
            lambda: run_helper(copy, "bare_decode.py", archive),
            lambda: add_pictures(copy, raw / archive.name, raw / "larger.zip"),
        )
    columns = [list(runs) for runs in zip(*stages, strict=True)]
    rows = [row(name, runs) for name, runs in zip(STAGES, columns, strict=True)]
    sums = [sum(row[figure] for row in rows) for figure in (1, 2)]
    peaks = [max(row[figure] for row in rows) for figure in (3, 4)]
    others = row("bare decode", decodes), row(f"ingest, {NEW} new", added)
    header = ["", "wall s", "CPU s", "all processes MB", "largest MB"]
    print_table(header, *rows, ["the four", *sums, *peaks], *others)
    print_rates(columns[0], decodes, added)


def print_rates(ingests: list[Timed], decodes: list[Timed], added: list[Timed]) -> None:
    """Print pictures a second, and their ratio to the bare decode's."""
    pictures = decodes[0][1]["pictures"]
    rows = []
    for name, runs in (("bare decode", decodes), ("ingest", ingests), (f"ingest, {NEW} new", added)):
        work = median(said["work"] for _, said in runs)
        ratios = [theirs["work"] / ours["work"] for (_, ours), (_, theirs) in zip(runs, decodes, strict=True)]
        whole = middle([cost for cost, _ in decodes]) / middle([cost for cost, _ in runs])
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        rows.append([name, work, round(pictures / work), median(ratios), each, whole])
    print_table(["the work", "s", "pictures/s", "over the bare decode", "each round", "whole commands"], *rows)


if __name__ == "__main__":
    main()
