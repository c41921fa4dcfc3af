"""Transfer learning with given weights: frozen and fine-tuned, beside a logistic regression on the pooled features.

The backbone is MobileNet of width 0.25 at 224 pixels. Each seed draws the split and starts the training anew, and all
three see the same split.
"""

import argparse
import json
import shutil
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from working_copy import WorkingCopy, print_table, working_copy

BACKBONE = {
    "image.size": 224, "model.architecture": "MobileNet", "model.width": 0.25, "model.head": "average",
    "model.dense": [], "model.average": "flip", "tune.enabled": False, "train.epochs": 20, "train.batch_size": 32,
    "train.learning_rate": 0.02, "train.schedule": "cosine", "train.step_epochs": [], "train.patience": 0,
    "augment.horizontal_flip": True, "augment.shift": 0.0,
}  # fmt: skip
FROZEN = {"augment.rotation": 10.0, "augment.crop": 0.7}
TUNED = {"augment.rotation": 0.0, "augment.crop": 0.9, "finetune.epochs": 8}
TUNED |= {"finetune.layers": "conv_dw_7", "finetune.learning_rate": 0.0001}
KINDS = {"frozen": FROZEN | {"finetune.epochs": 0}, "fine-tuned": TUNED}


def run(copy: WorkingCopy, seed: int) -> dict[str, Any]:
    """Return the test accuracy in percent of the floor and of each kind, and the CPU minutes of the trainings."""
    copy.set({"split.seed": seed, "train.seed": seed})
    copy.measure("dvc", "repro", "split")
    said: dict[str, Any] = {}
    for name, changes in KINDS.items():
        copy.set(changes)
        copy.measure("dvc", "repro", "tune")
        said[f"{name}, CPU min / 2"] = copy.measure("dvc", "repro", "--single-item", "train").cpu / 120
        copy.measure("dvc", "repro", "--single-item", "evaluate")
        said[name] = 100 * json.loads((copy.root / "reports/evaluate.json").read_text())["test"]["accuracy"]
    floor = copy.measure("python", "benchmarks/floor.py")
    said["logistic regression"] = json.loads(floor.output.splitlines()[-1])["test"]
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, 224 pixels, without top (.h5)")
    parser.add_argument("archives", type=Path, nargs="+", help="a .zip with a folder of pictures for each class")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    for archive in chosen.archives:
        with working_copy() as copy:
            copy.env["PYTHONPATH"] = "src"
            for folder, file in (("raw", archive), ("weights", chosen.weights)):
                (copy.root / "data" / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy.root / "data" / folder)
            copy.set({"ingest.source": archive.name, "model.weights": chosen.weights.name, **BACKBONE})
            runs = []
            for seed in range(chosen.seeds):
                runs.append(run(copy, seed))
                print(f"{archive.stem}, seed {seed}: {runs[-1]}", flush=True)
        print_table([archive.stem, "test accuracy %", "deviation", "each", "CPU min / 2"], *rows(runs))


def rows(runs: list[dict[str, Any]]) -> list[list[Any]]:
    """Return a row for the floor and for each kind."""
    found = []
    for name in ("logistic regression", *KINDS):
        right = [one[name] for one in runs]
        spread = stdev(right) if len(right) > 1 else "one run"
        minutes = mean(one[f"{name}, CPU min / 2"] for one in runs) if name in KINDS else ""
        found.append([name, mean(right), spread, " ".join(f"{one:.1f}" for one in right), minutes])
    return found


if __name__ == "__main__":
    main()
