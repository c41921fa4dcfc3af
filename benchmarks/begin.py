"""`darkroom begin` on a folder of 60,000 and one of 100,000 pictures: wanted under 15 s and 500 MB for 60,000.

The folders are made of an archive's files, the second with some of them twice. `place and look` is the part that
grows with them: all files are listed and linked below data/raw/ (wanted under 8 s), a sample is read. A bare walk that
asks each file for its size stands beside it, and `darkroom begin --data-only` and `darkroom begin`, which also measure
how quickly this machine trains.
"""

import argparse
import shutil
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from cost import Cost
from working_copy import WorkingCopy, alternate, middle, print_table, working_copy

WALK = "import os, sys; sum(os.stat(f'{d}/{n}').st_size for d, _, names in os.walk(sys.argv[1]) for n in names)"
LOOK = """
import sys
from pathlib import Path
from darkroom.begin.place import place_and_look
place_and_look(sys.argv[1], Path.cwd(), dry=False)
"""
STEPS = {
    "bare walk": ["python", "-c", WALK],
    "place and look": ["python", "-c", LOOK],
    "begin --data-only": ["darkroom", "begin", "--data-only"],
    "begin": ["darkroom", "begin"],
}


def make_folder(archive: Path, folder: Path, count: int) -> None:
    """Unpack an archive to `folder`, and give its first files a second name until there are `count`."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for file in files[: max(0, count - len(files))]:
        file.with_name(f"9{file.name}").hardlink_to(file)


def run_step(copy: WorkingCopy, command: list[str], folder: Path) -> Cost:
    """Run a command on the folder with nothing of it below data/raw/."""
    shutil.rmtree(copy.root / "data/raw" / folder.name, ignore_errors=True)
    return copy.measure(*command, str(folder), sampled=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "archive", type=Path, help="a .zip with a folder of pictures for each class, 60,000 files or so"
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[60_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    chosen = parser.parse_args()
    rows: list[list[Any]] = []
    with working_copy() as copy:
        copy.env["PYTHONPATH"] = "src"
        for count in chosen.counts:
            folder = copy.root.parent / f"pictures-{count}"
            make_folder(chosen.archive, folder, count)
            jobs = [partial(run_step, copy, STEPS[step], folder) for step in chosen.steps]
            for step, costs in zip(chosen.steps, alternate(chosen.rounds, *jobs), strict=True):
                memory = max(cost.together for cost in costs)
                rows.append([step, f"{count:,}", middle(costs), middle(costs, "cpu"), memory])
            shutil.rmtree(folder)
    print_table(["", "files", "s", "CPU s", "MB together"], *rows)


if __name__ == "__main__":
    main()
