"""How fast the head of a frozen backbone trains on features that are computed once, beside computing each epoch anew.

Both train the same head as many epochs; the first computes the features of a few varied passes, and none is known when
it begins. Of the second, the last of three epochs is measured and stands for those that are left out. Each runs in a
process of its own, in turn; MobileNet of width 0.25, photographs at one size.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cost import measure
from working_copy import ROOT, print_table

FEW = 3  # epochs that are computed anew


def decoded(archive: Path, side: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, side, side, 3) uint8 of an archive, drawn by a seed, and the names of their folders (n,)."""
    import zipfile
    from io import BytesIO

    from PIL import Image

    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png")))
        names = [names[place] for place in np.random.default_rng(0).permutation(len(names))[:most]]
        pictures = [Image.open(BytesIO(opened.read(name))).convert("RGB").resize((side, side)) for name in names]
    return np.stack([np.asarray(picture) for picture in pictures]), np.array([name.split("/")[-2] for name in names])


def train(file: Path, weights: Path, passes: int, epochs: int) -> dict[str, Any]:
    """Return the CPU seconds of a training that began with `passes`, and of its last epoch, and the accuracy."""
    from darkroom.examples.pixels import Examples
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params, with_overlay
    from darkroom.train.fit import fit

    content = np.load(file)
    classes, labels = np.unique(content["names"], return_inverse=True)
    rows = np.arange(len(labels))
    train_rows, validation_rows = rows[len(rows) // 8 :], rows[: len(rows) // 8]
    data = {
        name: Examples(content["pixels"], own, labels[own].astype(np.int32), tuple(classes.tolist()))
        for name, own in (("train", train_rows), ("validation", validation_rows))
    }
    sections: dict[str, dict[str, Any]] = {
        "image": {"size": content["pixels"].shape[1]},
        "model": {"architecture": "MobileNet", "width": 0.25, "weights": weights.name, "head": "average", "dense": []},
        "augment": {"horizontal_flip": True, "rotation": 10.0, "shift": 0.0, "crop": 0.7},
        "train": {"epochs": epochs, "batch_size": 32, "learning_rate": 0.005, "schedule": "cosine", "step_epochs": []}
        | {"patience": 0, "threads": 2},
        "finetune": {"passes": passes, "epochs": 0},
        "debug": {},
    }
    params = DeclaredParams(with_overlay(load_params(ROOT / "params.yaml"), sections, "frozen"), list(sections), "")
    start_tensorflow(2)
    ends = [time.process_time()]
    fitted = fit(data, params, weights.parent, log=lambda *_: ends.append(time.process_time()))
    accuracy = 100 * float(fitted.history["validation_accuracy"].iloc[-1])
    return {"cpu": time.process_time() - ends[0], "epoch": ends[-1] - ends[-2], "accuracy": accuracy}


def one(file: Path, weights: Path, passes: int, epochs: int) -> dict[str, Any]:
    """Train in a process of its own, which knows no features; return what it said, for all epochs, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"DVC_ROOT": folder}
        trained = epochs if passes else min(FEW, epochs)
        cost = measure([sys.executable, __file__, str(weights), str(file), f"--passes={passes}", f"--epochs={trained}",
                        "--train"], ROOT, env)  # fmt: skip
    said: dict[str, Any] = json.loads(cost.output.splitlines()[-1])
    return said | {"cpu": said["cpu"] + (epochs - trained) * said["epoch"], "memory": cost.largest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, without top (.h5)")
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=2000, help="at most")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)  # in the process of its own
    chosen = parser.parse_args()
    if chosen.train:
        print(json.dumps(train(chosen.archive, chosen.weights, chosen.passes, chosen.epochs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pictures.npz")
        pixels, names = decoded(chosen.archive, chosen.size, chosen.pictures)
        np.savez(file, pixels=pixels, names=names)
        rounds = [
            [one(file, chosen.weights, passes, chosen.epochs) for passes in (0, chosen.passes)]
            for _ in range(chosen.rounds)
        ]
    print_rates(rounds, chosen.epochs * (len(pixels) - len(pixels) // 8))


def print_rates(rounds: list[list[dict[str, Any]]], pictures: int) -> None:
    """Print pictures a second of CPU / 2 of both; the features count, the start of TensorFlow does not."""
    rows = []
    for name, runs in zip(("each epoch anew", "features kept"), zip(*rounds, strict=True), strict=True):
        rates = [2 * pictures / run["cpu"] for run in runs]
        rows.append([name, median(rates), median(run["epoch"] for run in runs), median(run["memory"] for run in runs)])
    ratios = [anew["cpu"] / kept["cpu"] for anew, kept in rounds]
    print_table(["frozen part", "pictures/s", "CPU s of the last epoch", "memory MB"], *rows)
    print_table(["times", "each round"], [median(ratios), " ".join(f"{ratio:.2f}" for ratio in ratios)])


if __name__ == "__main__":
    main()
