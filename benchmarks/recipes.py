"""Recipes on pictures of yours: accuracy on the test split, and the time of search and training, several seeds.

With --peer-seeds, on CIFAR-10, the recipe of airbench94 beside them. Ours is the stages tune and train as `dvc repro`
runs them, with their start and report; theirs the training alone. Ours leaves 2 % of train to validation and the
pictures out that are near copies of test ones; theirs has all of train.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from working_copy import WorkingCopy, print_table, working_copy

BENCHMARKS = Path(__file__).parent


def run_recipe(copy: WorkingCopy, name: str, changes: dict[str, Any]) -> dict[str, float]:
    """Train and evaluate a recipe with some keys changed; the stages of the data run once for all."""
    copy.measure("darkroom", "recipe", name, "--data")
    copy.set(changes)
    copy.measure("dvc", "repro", "split")
    costs = [copy.measure("dvc", "repro", "--single-item", stage) for stage in ("tune", "train", "evaluate")][:2]
    scores = json.loads((copy.root / "reports/evaluate.json").read_text())
    cost = {figure: sum(getattr(one, figure) for one in costs) for figure in ("wall", "cpu")}
    return {**cost, "accuracy": 100 * scores["test"]["accuracy"]}


def run_peer(python: str, pictures: Path, precision: str, seed: int) -> dict[str, float]:
    """Train the reference with one seed."""
    command = [python, str(BENCHMARKS / "airbench94_peer.py"), str(pictures), precision, str(seed)]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])
    return {"wall": said["wall"], "cpu": said["cpu"], "accuracy": said["views 1"], "plain": said["views 0"]}


def make_peer(folder: Path, *packages: str) -> str:
    """Make an environment with packages; return its Python."""
    uv, python = Path(sys.executable).parent / "uv", folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return str(python)


def decode(archive: Path, file: Path) -> None:
    """Write all pictures of an archive with train/ and test/ folders, decoded, as arrays."""
    import zipfile
    from io import BytesIO

    from PIL import Image

    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        classes = sorted({name.split("/")[-2] for name in names})
        for split in ("train", "test"):
            own = [name for name in names if name.split("/")[-3] == split]
            own = [own[place] for place in np.random.default_rng(0).permutation(len(own))]
            pictures = [np.asarray(Image.open(BytesIO(opened.read(name))).convert("RGB")) for name in own]
            arrays[split] = np.stack(pictures)
            arrays[f"{split}_labels"] = np.array([classes.index(name.split("/")[-2]) for name in own])
    np.savez(file, **arrays)


def parsed(setting: str) -> tuple[str, Any]:
    """Return key and value of KEY=VALUE, the value as YAML has it."""
    key, value = setting.split("=", 1)
    return key, YAML(typ="safe", pure=True).load(value)


def row(name: str, runs: list[dict[str, float]]) -> list[Any]:
    """Return mean and deviation of the runs."""
    halves = [run["cpu"] / 120 for run in runs]
    walls = [run["wall"] / 60 for run in runs]
    right = [run["accuracy"] for run in runs]
    spread = f"{stdev(right):.2f}" if len(runs) > 1 else "one run"
    return [name, len(runs), mean(right), spread, " ".join(f"{one:.2f}" for one in right), mean(halves), mean(walls)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a .zip with folders of pictures, as the recipes want them")
    parser.add_argument("--recipes", nargs="+", default=["small"])
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="what the recipes say otherwise")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="so that some can be run at another time")
    parser.add_argument("--peer-seeds", type=int, default=0, help="of the reference; the archive is then CIFAR-10")
    parser.add_argument("--peer-precision", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--peer-python", help="of an environment that has PyTorch; else one is made")
    chosen = parser.parse_args()
    changes = {"ingest.source": chosen.archive.name, **dict(map(parsed, chosen.set))}
    runs: dict[str, list[dict[str, float]]] = {}

    def add(name: str, seed: int, run: dict[str, float]) -> None:
        runs.setdefault(name, []).append(run)
        print(f"{name}, seed {seed}: {run}", flush=True)

    with working_copy() as copy:
        (copy.root / "data/raw").mkdir(parents=True, exist_ok=True)
        shutil.copy(chosen.archive, copy.root / "data/raw")
        pictures, python = copy.root / "pictures.npz", chosen.peer_python
        if chosen.peer_seeds:
            decode(chosen.archive, pictures)
            python = python or make_peer(copy.root / "peer", "torch", "numpy")
        for number in range(max(chosen.seeds, chosen.peer_seeds)):
            seed = chosen.first_seed + number
            for name in chosen.recipes if number < chosen.seeds else []:
                add(name, seed, run_recipe(copy, name, {**changes, "train.seed": seed}))
            if number < chosen.peer_seeds:
                add("airbench94", seed, run_peer(python, pictures, chosen.peer_precision, seed))
    header = ["", "runs", "test accuracy %", "deviation", "each", "CPU min / 2", "wall min"]
    print_table(header, *(row(name, seen) for name, seen in runs.items()))


if __name__ == "__main__":
    main()
