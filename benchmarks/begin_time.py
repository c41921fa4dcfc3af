"""The time that `darkroom begin --minutes` is asked for, beside what the pipeline then takes.

python benchmarks/begin_time.py BEARS CATS CIFAR --minutes 10 [--weights FILE.h5]

Wanted: within 25 %. Each archive gets a fresh working copy: `begin`, then `dvc repro`, as `make repro SOURCE=` does.
Prints the minutes asked for, those that begin expects, those taken, over those asked for; CPU minutes / 2; what begin
itself took in seconds, of wall time and of CPU; the test accuracy in percent. Nothing else may run on the machine.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

from working_copy import print_table, working_copy

COMMAND = "from darkroom.cli.main import main; main()"
TOTAL = re.compile(r"for all else: ([\d.]+)")


def measured(archive: Path, minutes: float, weights: Path | None) -> list[object]:
    """Return the row of an archive."""
    with working_copy() as copy:
        copy.env["PYTHONPATH"] = "src"
        if weights:
            (copy.root / "data" / "weights").mkdir(parents=True, exist_ok=True)
            shutil.copy(weights, copy.root / "data" / "weights")
        begun = copy.measure("python", "-c", COMMAND, "begin", str(archive.resolve()), "--minutes", str(minutes))
        print(begun.output, flush=True)
        taken = copy.measure("dvc", "repro")
        right = json.loads((copy.root / "reports" / "evaluate.json").read_text(encoding="utf-8"))["test"]["accuracy"]
        found = TOTAL.search(begun.output)
        expected = float(found[1]) if found else "not said"
        taken_minutes = taken.wall / 60
        cpu, own = taken.cpu / 120, [begun.wall, begun.cpu]
        return [archive.stem, minutes, expected, taken_minutes, taken_minutes / minutes, cpu, *own, 100 * right]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", type=Path, nargs="+", help="a folder or archive of pictures")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--weights", type=Path, help="a file for data/weights/")
    chosen = parser.parse_args()
    rows = [measured(archive, chosen.minutes, chosen.weights) for archive in chosen.archives]
    print_table(
        ["", "asked, min", "expected", "taken", "taken / asked", "CPU / 2", "begin, s", "its CPU", "test accuracy"],
        *rows,
    )


if __name__ == "__main__":
    main()
