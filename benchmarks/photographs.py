"""Networks from scratch on photographs: test accuracy of recipes that get the same CPU seconds to train in.

The first recipe trains as it says; the others, each with its own picture size, batch size, rates and patience, train
for its CPU seconds: a constant rate until they are over, another schedule for as many epochs as fit by the cost of two
short ones. Training and validation are timed, on one thread, without decoding. `test/` is the test split, or else a
fifth that the seed draws; 15 % of the rest is validation.
"""

import argparse
import time
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from working_copy import ROOT, print_table

OTHERS = ["animals-deeper", "cifar10-vgg-b", "production-cnn"]  # the best of each reference system's own networks
SECTIONS = ["train", "model", "augment", "image", "finetune", "ensemble", "debug"]
TIMED = 128  # pictures in the two short epochs that tell the cost of one
MANY = 1000  # epochs: more than fit
Rows = dict[str, np.ndarray]


def recipe_params(name: str, seed: int, epochs: int | None = None) -> Any:
    """Return the parameters of a recipe on one thread, with other epochs where they are given."""
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params, read_yaml, with_overlay

    params = load_params(ROOT / "params.yaml")
    own: dict[str, Any] = {"train": {"seed": seed, "threads": 1} | ({"epochs": epochs} if epochs else {})}
    for overlay in (read_yaml(ROOT / "recipes/digits.yaml"), read_yaml(ROOT / f"recipes/{name}.yaml"), own):
        params = with_overlay(params, {key: overlay[key] for key in overlay if key not in ("ingest", "data")}, name)
    return DeclaredParams(params, SECTIONS, name)


@cache
def names_of(archive: Path) -> tuple[str, ...]:
    """Return the pictures of an archive."""
    with zipfile.ZipFile(archive) as opened:
        return tuple(sorted(name for name in opened.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png"))))


@cache
def decoded(archive: Path, size: int, resize: str) -> np.ndarray:
    """Return all pictures (n, size, size, 3) uint8."""
    from darkroom.images.decode import decode

    with zipfile.ZipFile(archive) as opened:
        return np.stack([decode(opened.read(name), size, resize, "white", "auto") for name in names_of(archive)])


def divided(archive: Path, seed: int) -> tuple[Rows, np.ndarray, tuple[str, ...]]:
    """Return the rows of each split, the labels (n,) int32, and the classes."""
    parts = [name.split("/") for name in names_of(archive)]
    classes = tuple(sorted({part[-2] for part in parts}))
    labels = np.array([classes.index(part[-2]) for part in parts], np.int32)
    given = np.array(["test" in part[:-2] for part in parts])
    rows: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": []}
    chance = np.random.default_rng(seed)
    for label in range(len(classes)):
        own = chance.permutation(np.flatnonzero((labels == label) & ~given))
        drawn = 0 if given.any() else round(0.2 * len(own))
        rows["test"].append(np.append(own[:drawn], np.flatnonzero((labels == label) & given)))
        bound = drawn + round(0.15 * (len(own) - drawn))
        rows["validation"].append(own[drawn:bound])
        rows["train"].append(own[bound:])
    return {name: np.sort(np.concatenate(some)) for name, some in rows.items()}, labels, classes


def examples(archive: Path, seed: int, params: Any) -> dict[str, Any]:
    """Return the splits as a recipe sees them."""
    from darkroom.examples.pixels import Examples

    rows, labels, classes = divided(archive, seed)
    pixels = decoded(archive, params.image.size, params.image.resize)
    return {name: Examples(pixels, some, labels[some], classes) for name, some in rows.items()}


def epochs_within(seconds: float, name: str, data: dict[str, Any], seed: int) -> int:
    """Return how many epochs of a recipe fit in `seconds` of CPU, by the second of two short ones."""
    from darkroom.train.fit import fit

    clocks = [time.process_time()]
    few = {split: some(part, TIMED / len(data["train"])) for split, part in data.items()}
    fit(few, recipe_params(name, seed, 2), log=lambda metrics, epoch: clocks.append(time.process_time()))  # noqa: ARG005
    first, second = np.diff(clocks)
    return max(round((seconds - (first - second)) / (second * len(data["train"]) / TIMED)), 1)


def some(part: Any, share: float) -> Any:
    """Return a drawn share of the examples."""
    chosen = np.random.default_rng(0).permutation(len(part))[: max(round(share * len(part)), 1)]
    return replace(part, rows=part.rows[chosen], labels=part.labels[chosen])


def train(archive: Path, name: str, seed: int, seconds: float | None) -> dict[str, float]:
    """Train a recipe, within `seconds` of CPU where that is given; return its test accuracy and what it took."""
    from darkroom.examples.metrics import score_split
    from darkroom.models.combine import combine
    from darkroom.train.fit import fit

    params = recipe_params(name, seed)
    data = examples(archive, seed, params)
    if seconds is not None:
        constant = params.train.schedule == "constant"
        params = recipe_params(name, seed, MANY if constant else epochs_within(seconds, name, data, seed))
    begun = time.process_time()
    fitted = fit(data, params, on_epoch=lambda *_: seconds is not None and time.process_time() - begun >= seconds)
    cpu = time.process_time() - begun
    network = combine([fitted.network], params.model.average)
    scores = {split: score_split(network, data[split], 64) for split in ("validation", "test")}
    accuracies = {split: 100 * score["accuracy"] for split, score in scores.items()}
    return {"cpu": cpu, "epochs": len(fitted.history), **accuracies}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", type=Path, nargs="+", help="a .zip with a folder of pictures for each class")
    parser.add_argument("--recipe", default="photos-scratch")
    parser.add_argument("--others", nargs="*", default=OTHERS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="so that some can be run at another time")
    chosen = parser.parse_args()
    from darkroom.examples.runtime import start_tensorflow

    start_tensorflow(1)
    for archive in chosen.archives:
        runs: dict[str, list[dict[str, float]]] = {}
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            seconds = None
            for name in (chosen.recipe, *chosen.others):
                run = train(archive, name, seed, seconds)
                seconds = seconds or run["cpu"]
                runs.setdefault(name, []).append(run)
                print(f"{archive.stem}, {name}, seed {seed}: {run}", flush=True)
        print_table([archive.stem, "test accuracy %", "deviation", "each", "CPU s", "epochs"], *rows(runs))


def rows(runs: dict[str, list[dict[str, float]]]) -> list[list[Any]]:
    """Return a row for each recipe."""
    found = []
    for name, each in runs.items():
        right = [run["test"] for run in each]
        spread = stdev(right) if len(right) > 1 else "one run"
        cost = [mean(run[figure] for run in each) for figure in ("cpu", "epochs")]
        found.append([name, mean(right), spread, " ".join(f"{one:.1f}" for one in right), *cost])
    return found


if __name__ == "__main__":
    main()
