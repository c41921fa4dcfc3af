"""How fast a network trains, and on how much memory.

Real pictures beside a batch that lies in memory, the original form of the recipe cifar10-cnn and a training without
determinism; 6,000 pictures beside 60,000.

The network is that of cifar10-cnn, on CIFAR-10. Forms take turns, each in a process of its own.
"""

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

from recipes import decode
from working_copy import WorkingCopy, print_table, working_copy

BENCHMARKS = Path(__file__).parent
FORMS = {
    "real pictures, batch 32": ["real"],
    "a batch in memory, 32": ["one"],
    "the original form, 32": ["original", "--free"],
    "real pictures, batch 128": ["real", "--batch", "128"],
    "a batch in memory, 128": ["one", "--batch", "128"],
    "without determinism, 128": ["real", "--batch", "128", "--free"],
}
RATIOS = [
    ("real over in memory, 32", "real pictures, batch 32", "a batch in memory, 32"),
    ("real over in memory, 128", "real pictures, batch 128", "a batch in memory, 128"),
    ("over the original form", "real pictures, batch 32", "the original form, 32"),
    ("deterministic over not, 128", "real pictures, batch 128", "without determinism, 128"),
]
SIZES = (6_000, 60_000)


def run(copy: WorkingCopy, file: Path, form: str, *options: str) -> dict[str, Any]:
    """Train in a process of its own and return what it said."""
    command = ["python", "benchmarks/epoch.py", str(file), form, "cifar10-cnn", *options]
    return json.loads(copy.measure(*command).output.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="CIFAR-10 as a .zip with train/ and test/, ten class folders each")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with working_copy() as copy:
        copy.env["PYTHONPATH"] = "src"
        file = copy.root / "pictures.npz"
        decode(chosen.archive, file)
        rounds = [{name: run(copy, file, *form) for name, form in FORMS.items()} for _ in range(chosen.rounds)]
        print_rates(rounds)
        sizes = [run(copy, file, "real", "--batch", "128", "--epochs", "1", "--pictures", str(size)) for size in SIZES]
    memory = [one["memory"] for one in sizes]
    print_table(["peak memory MB", *map(str, SIZES), "times"], ["", *memory, memory[1] / memory[0]])


def print_rates(rounds: list[dict[str, Any]]) -> None:
    """Print pictures a second, and the ratios of forms that took turns."""
    rows = []
    for name in FORMS:
        seen = [one[name] for one in rounds]
        digests = {one["digest"] for one in seen}
        same = "the same" if len(digests) == 1 else f"{len(digests)} different"
        rows.append([name, median(one["wall"] for one in seen), median(one["cpu"] for one in seen), same])
    print_table(["pictures/s", "wall", "CPU / 2", f"weights of {len(rounds)} runs"], *rows)
    rows = []
    for name, one, other in RATIOS:
        walls, cpus = ([turn[one][clock] / turn[other][clock] for turn in rounds] for clock in ("wall", "cpu"))
        rows.append([name, median(walls), " ".join(f"{ratio:.2f}" for ratio in walls), median(cpus)])
    print_table(["ratio", "wall", "each round", "CPU"], *rows)


if __name__ == "__main__":
    main()
