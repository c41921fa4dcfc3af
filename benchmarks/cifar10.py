"""Recipes on CIFAR-10 beside airbench94's: accuracy on the test split, and the time of the training.

Ours is the stage train as `dvc repro` runs it, with its start and its report; theirs the training alone. Ours leaves
2 % of train to validation and the pictures out that are near copies of test ones; theirs has all of train.
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
from working_copy import WorkingCopy, print_table, working_copy

BENCHMARKS = Path(__file__).parent


def run_recipe(copy: WorkingCopy, name: str, seed: int) -> dict[str, float]:
    """Train and evaluate a recipe with one seed; the stages of the data run once for all."""
    copy.measure("darkroom", "recipe", name)
    copy.set({"train.seed": seed})
    copy.measure("dvc", "repro", "tune")
    cost = copy.measure("dvc", "repro", "--single-item", "train")
    copy.measure("dvc", "repro", "--single-item", "evaluate")
    scores = json.loads((copy.root / "reports/evaluate.json").read_text())
    return {"wall": cost.wall, "cpu": cost.cpu, "accuracy": 100 * scores["test"]["accuracy"]}


def run_peer(python: str, pictures: Path, precision: str, seed: int) -> dict[str, float]:
    """Train the reference with one seed."""
    command = [python, str(BENCHMARKS / "airbench94_peer.py"), str(pictures), precision, str(seed)]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])
    return {"wall": said["wall"], "cpu": said["cpu"], "accuracy": said["views 1"], "plain": said["views 0"]}


def make_peer(folder: Path) -> str:
    """Make an environment with PyTorch; return its Python."""
    uv, python = Path(sys.executable).parent / "uv", folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "torch", "numpy"], check=True)
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


def row(name: str, runs: list[dict[str, float]]) -> list[Any]:
    """Return mean and deviation of the runs."""
    halves = [run["cpu"] / 120 for run in runs]
    walls = [run["wall"] / 60 for run in runs]
    right = [run["accuracy"] for run in runs]
    spread = f"{stdev(right):.2f}" if len(runs) > 1 else "one run"
    return [name, len(runs), mean(right), spread, " ".join(f"{one:.2f}" for one in right), mean(halves), mean(walls)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="CIFAR-10 as a .zip with train/ and test/, ten class folders each")
    parser.add_argument("--recipes", nargs="+", default=["fast"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-seeds", type=int, help="of the reference; as --seeds when left out")
    parser.add_argument("--peer-precision", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--peer-python", help="of an environment that has PyTorch; else one is made")
    chosen = parser.parse_args()
    peer_seeds = chosen.seeds if chosen.peer_seeds is None else chosen.peer_seeds
    runs: dict[str, list[dict[str, float]]] = {}
    with working_copy() as copy:
        (copy.root / "data/raw").mkdir(parents=True, exist_ok=True)
        shutil.copy(chosen.archive, copy.root / "data/raw/cifar10.zip")
        pictures = copy.root / "pictures.npz"
        decode(chosen.archive, pictures)
        python = chosen.peer_python or (make_peer(copy.root / "peer") if peer_seeds else "")
        for seed in range(max(chosen.seeds, peer_seeds)):
            for name in chosen.recipes if seed < chosen.seeds else []:
                runs.setdefault(name, []).append(run_recipe(copy, name, seed))
                print(f"{name}, seed {seed}: {runs[name][-1]}", flush=True)
            if seed < peer_seeds:
                runs.setdefault("airbench94", []).append(run_peer(python, pictures, chosen.peer_precision, seed))
                print(f"airbench94, seed {seed}: {runs['airbench94'][-1]}", flush=True)
    header = ["", "runs", "test accuracy %", "deviation", "each", "CPU min / 2", "wall min"]
    print_table(header, *(row(name, seen) for name, seen in runs.items()))


if __name__ == "__main__":
    main()
