"""What searches find on CIFAR-10: TPE with halving and fresh seeds, random search, plain Optuna and KerasTuner.

Wanted: halving with fresh seeds at least as good on the test pictures as random search of 20 whole trials, in half its
time; its score within 0.5 points of the test score on average; at least as good as the others, and not slower.

    python benchmarks/search_study.py CIFAR [--seeds 0 1 2] [--arms random ours optuna kerastuner] [--results FILE]

Each seed draws 4,000 pictures to train on and 1,000 to validate, a tenth of train/, at 16 pixels; a training has six
epochs and one thread. Plain Optuna and KerasTuner get as many epochs as ours took, so they come after it. The setting
that a search chose is then trained by the same program with two seeds that no search has used (--fresh), and
measured on 5,000 pictures of test/, which no search is given. With --results, what is in the file is not run again.
"""

import argparse
import json
import os
import sys
from io import BytesIO
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from zipfile import ZipFile

import numpy as np
from cost import measure
from search_space import SIDE
from working_copy import empty_folder, print_table

BENCHMARKS = Path(__file__).parent
SIZES = {"train": 4000, "validation": 1000, "test": 5000}
SHARED = {"batch": 1, "costs": [], "minutes": 0}
OURS = {
    "random": {"trials": 20, "sampler": "random", "pruner": "none", "finalists": 0, **SHARED},
    "ours": {"trials": 12, "sampler": "tpe", "pruner": "halving", "finalists": 2, "fresh_seeds": 2, **SHARED},
}
PEERS = ("optuna", "kerastuner")
FRESH = 9001  # the first of the seeds that no search has used
Result = dict[str, Any]


def decode(archive: Path, file: Path, seed: int) -> None:
    """Write pictures that the seed draws from train/ as train and validation, and always the same ones of test/."""
    import cv2
    from PIL import Image

    arrays: dict[str, Any] = {}
    with ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        classes = sorted({name.split("/")[-2] for name in names})
        for split, (folder, chance, first) in PARTS.items():
            own = [name for name in names if name.split("/")[-3] == folder]
            drawn = np.random.default_rng(chance if chance is not None else seed).permutation(own)
            chosen = drawn[first : first + SIZES[split]]
            pictures = [np.asarray(Image.open(BytesIO(opened.read(name))).convert("RGB")) for name in chosen]
            small = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in pictures]
            arrays[split] = np.stack(small)
            arrays[f"{split}_labels"] = np.array([classes.index(name.split("/")[-2]) for name in chosen])
    np.savez(file, **arrays)


PARTS = {"train": ("train", None, 0), "validation": ("train", None, SIZES["train"]), "test": ("test", 0, 0)}


def run(program: str, *arguments: str) -> Result:
    """Run a program of this folder in a session of its own and return the JSON of its last line."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    cost = measure([sys.executable, str(BENCHMARKS / program), *arguments], BENCHMARKS.parent, environment)
    last = [line for line in cost.output.splitlines() if line.startswith("{")][-1]
    return {**json.loads(last), "wall": cost.wall}


def study(arm: str, seed: int, file: Path, epochs: int, fresh: int) -> Result:
    """Return what a search found, its cost, and its setting's accuracies when it is trained anew."""
    seeds = ",".join(str(FRESH + number) for number in range(fresh))
    if arm in OURS:
        program = "search_ours.py"
        found = run(program, str(file), "search", str(seed), json.dumps(OURS[arm]))
        anew = run(program, str(file), "again", seeds, json.dumps(found["setting"]))
    else:
        found = run(f"search_{arm}.py", str(file), str(seed), str(epochs))
        anew = run("search_network.py", str(file), seeds, json.dumps(found["setting"]))
    return {"arm": arm, "seed": seed, **found, "test": anew["test"], "validation": anew["validation"]}


def rows(results: list[Result]) -> list[list[Any]]:
    """Return a row for each arm: means over seeds, in percent and seconds, with the deviation of the test accuracy."""
    found = []
    for arm in (*OURS, *PEERS):
        own = [one for one in results if one["arm"] == arm]
        if own:
            tests = [100 * mean(one["test"]) for one in own]
            gaps = [100 * one["reported"] - test for one, test in zip(own, tests, strict=True)]
            numbers = [mean(one[name] for one in own) for name in ("cpu", "wall", "epochs")]
            scores = [spread(tests), 100 * mean(one["reported"] for one in own), spread(gaps)]
            anew = mean(100 * (one["reported"] - mean(one["validation"])) for one in own)
            found.append([arm, len(own), *numbers, *scores, anew])
    return found


def spread(values: list[float]) -> str:
    return f"{mean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


HEADER = ["search", "seeds", "CPU s", "wall s", "epochs", "test %", "reported %", "less test", "less validation"]


def keep(result: Result, file: Path | None) -> Result:
    """Print a result, write it behind those that are kept, and return it."""
    line = json.dumps(result)
    print(line, flush=True)
    if file:
        with file.open("a") as opened:
            print(line, file=opened)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="CIFAR-10 as a .zip with train/ and test/, ten class folders each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=[*OURS, *PEERS], default=list(OURS))
    parser.add_argument("--fresh", type=int, default=2, help="seeds with which each chosen setting is trained again")
    parser.add_argument("--results", type=Path, help="keeps what was measured, a line of JSON for each search")
    chosen = parser.parse_args()
    kept = chosen.results.read_text().splitlines() if chosen.results and chosen.results.exists() else []
    results = [json.loads(line) for line in kept]
    with empty_folder() as folder:
        for seed, arm in product(chosen.seeds, chosen.arms):
            known, file = {(one["arm"], one["seed"]): one for one in results}, folder.root / f"{seed}.npz"
            if (arm, seed) in known:
                continue
            if arm in PEERS and ("ours", seed) not in known:
                parser.error(f"{arm} gets the epochs of ours, which comes before it")
            if not file.exists():
                decode(chosen.archive, file, seed)
            epochs = known["ours", seed]["epochs"] if arm in PEERS else 0
            results.append(keep(study(arm, seed, file, epochs, chosen.fresh), chosen.results))
    print_table(HEADER, *rows(results))


if __name__ == "__main__":
    main()
