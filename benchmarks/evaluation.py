"""The stage evaluate on CIFAR-10's test pictures with the network of cifar10-cnn, and on photographs at 224 pixels.

Wanted: under 3 minutes on two cores, corruptions of 1,000 pictures included, and under 2 GB; at 224 pixels with
MobileNet at most 1.5 times that memory. The sets of classes must hold the right class as often as promised, within 1 %.
Networks are trained for as few epochs as asked: the stage takes as long for a bad network. Beside it stands the same
stage without what asks the network again and again (corruptions, heat maps, occlusion).
"""

import argparse
import json
from pathlib import Path
from typing import Any

from working_copy import WorkingCopy, print_table, working_copy

QUICK = {"evaluate.robustness": {"pictures": 0, "kinds": []}, "evaluate.heat_maps": 0, "evaluate.occlusion": False}
CIFAR = {"tune.enabled": False}
PHOTOGRAPHS = {
    "tune.enabled": False,
    "image.size": 224,
    "image.resize": "crop",
    "model.architecture": "MobileNet",
    "model.head": "average",
    "model.dense": [],
    "train.batch_size": 32,
}


def trained(copy: WorkingCopy, source: Path, recipe: str, changes: dict[str, Any]) -> None:
    """Run the stages up to train."""
    (copy.root / "data/raw" / source.name).symlink_to(source.resolve())
    copy.measure("darkroom", "recipe", recipe, "--data") if recipe != "digits" else None
    copy.set({"ingest.source": source.name, **changes})
    copy.measure("dvc", "repro", "train")


def measured(copy: WorkingCopy, name: str, changes: dict[str, Any]) -> list[object]:
    """Return a row of the table: what evaluate costs, and what it found."""
    copy.set(changes)
    cost = copy.measure("dvc", "repro", "--single-item", "--force", "evaluate", sampled=True)
    report = json.loads((copy.root / "reports/evaluate.json").read_text())
    coverage, test = report["coverage"], report["test"]
    found = [test["pictures"], 100 * test["accuracy"], 100 * coverage["test"], coverage["set_size"]]
    return [name, cost.wall, cost.cpu, cost.largest, *found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cifar", type=Path, help="an archive of CIFAR-10's pictures in train/ and test/")
    parser.add_argument("photographs", type=Path, nargs="?", help="an archive of photographs")
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    header = ["", "wall s", "CPU s", "largest process MB", "test pictures", "accuracy %", "coverage % (95)", "set size"]
    sets = [("cifar, 32 px", given.cifar, "cifar10-cnn", CIFAR)]
    if given.photographs:
        sets.append(("photographs, 224 px", given.photographs, "digits", PHOTOGRAPHS))
    for name, source, recipe, changes in sets:
        with working_copy() as copy:
            trained(copy, source, recipe, {**changes, "train.epochs": given.epochs, "train.step_epochs": []})
            print_table(header, measured(copy, name, {}), measured(copy, f"{name}, the quick part", QUICK))


if __name__ == "__main__":
    main()
