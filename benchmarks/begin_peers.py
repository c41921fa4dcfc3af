"""What `darkroom begin` and `make repro` reach, beside ultralytics and fastai with the same CPU seconds, from scratch.

python benchmarks/begin_peers.py FLOWERS CATS CIFAR --minutes 10 --seeds 3

Archives with train/ and test/ folders. Ours is the whole of `dvc repro`, without weights; the peers, in an environment
of their own, get its CPU seconds for their training alone, the same side in pixels, two threads, their own
defaults, and 15 % of train to choose their best epoch. ultralytics trains yolo11n-cls, fastai a resnet18.
"""

import argparse
import json
import subprocess
import zipfile
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from recipes import make_peer
from ruamel.yaml import YAML
from working_copy import print_table, working_copy

BENCHMARKS = Path(__file__).parent
PEERS = ("ultralytics", "fastai")
VALIDATION = 0.15  # of train
Run = dict[str, float]


def run_ours(archive: Path, minutes: float, seed: int) -> Run:
    """Return what `begin` and `dvc repro` reach, and what they took."""
    with working_copy() as copy:
        copy.env.update(PYTHONPATH="src", KERAS_HOME=str(copy.root / "no-weights"))
        begun = copy.measure("darkroom", "begin", str(archive.resolve()), "--minutes", str(minutes))
        print(begun.output, flush=True)
        copy.set({"train.seed": seed, "split.seed": seed})
        taken = copy.measure("dvc", "repro")
        right = json.loads((copy.root / "reports/evaluate.json").read_text(encoding="utf-8"))["test"]["accuracy"]
        size = YAML(typ="safe", pure=True).load(copy.root / "params.yaml")["image"]["size"]
        return {"cpu": taken.cpu, "wall": taken.wall, "size": size, "accuracy": 100 * right}


def unpack(archive: Path, folder: Path, seed: int) -> None:
    """Write train/, val/ and test/ with a folder for each class; `val` is drawn from train."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        train = [name for name in names if name.split("/")[-3] == "train"]
        count = round(VALIDATION * len(train))
        drawn = {train[place] for place in np.random.default_rng(seed).permutation(len(train))[:count]}
        for name in names:
            *_, split, label, file = name.split("/")
            target = folder / ("val" if name in drawn else split) / label / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(opened.read(name))


def run_peer(python: str, peer: str, folder: Path, ours: Run, seed: int) -> Run:
    """Return what a peer reaches with our CPU seconds."""
    command = [python, str(BENCHMARKS / f"{peer}_peer.py"), str(folder), str(int(ours["size"]))]
    command += [str(ours["cpu"]), str(seed)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=folder.parent).stdout
    run: Run = json.loads(said[said.rindex("{") :])  # behind the bars of progress
    return run


def add_runs(archive: Path, seed: int, minutes: float, python: str, runs: dict[str, list[Run]]) -> None:
    """Add the runs of one seed."""
    ours = run_ours(archive, minutes, seed)
    found = {"darkroom begin": ours}
    with working_copy() as copy:
        folder = copy.root / "pictures"
        unpack(archive, folder, seed)
        for peer in PEERS:
            found[peer] = run_peer(python, peer, folder, ours, seed)
    for name, run in found.items():
        print(f"{archive.stem}, {name}, seed {seed}: {run}", flush=True)
        runs.setdefault(name, []).append(run)


def rows(runs: dict[str, list[Run]]) -> list[list[object]]:
    """Return a row for each contender."""
    found: list[list[object]] = []
    for name, each in runs.items():
        right = [run["accuracy"] for run in each]
        spread = stdev(right) if len(right) > 1 else "one run"
        found.append([name, mean(right), spread, mean(run["cpu"] for run in each)])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-python", help="of an environment that has both; else one is made")
    chosen = parser.parse_args()
    with working_copy() as copy:
        python = chosen.peer_python or make_peer(copy.root / "peers", *PEERS)
        for archive in chosen.archives:
            runs: dict[str, list[Run]] = {}
            for seed in range(chosen.seeds):
                add_runs(archive, seed, chosen.minutes, python, runs)
            print_table([archive.stem, "test accuracy %", "deviation", "CPU s"], *rows(runs))


if __name__ == "__main__":
    main()
