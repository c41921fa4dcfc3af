"""One search of this project on given pictures, or trainings of a setting; prints a line of JSON.

python benchmarks/search_ours.py PICTURES.npz search SEED TUNE         TUNE: values of the section tune, as JSON
python benchmarks/search_ours.py PICTURES.npz again SEED,... SETTING   SETTING: {section: {key: value}}, as JSON
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from search_space import CLASSES, DENSE, EPOCHS, SHIFT, SIDE, SPACE, START, THREADS, Setting, load, report

if TYPE_CHECKING:
    from darkroom.examples.pixels import Examples
    from darkroom.params.declared import DeclaredParams

ROOT = Path(__file__).parents[1]
FIXED: Setting = {
    "train": {
        "epochs": EPOCHS, "threads": THREADS, "schedule": "constant", "step_epochs": [], "keep": "last", "patience": 0,
    },
    "model": {"dense": [DENSE]},
    "image": {"size": SIDE},
    "augment": {"rotation": 0.0, "shift": SHIFT},
    "tune": {"epochs": EPOCHS, "metric": "accuracy", "space": SPACE},
}  # fmt: skip
SECTIONS = ["train", "model", "augment", "image", "finetune", "ensemble", "debug", "tune"]


def parameters(*settings: Setting) -> "DeclaredParams":
    """Return params.yaml with what all searches share, the first setting, and others over it."""
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params, with_overlay

    params = load_params(ROOT / "params.yaml")
    for setting in (FIXED, START, *settings):
        params = with_overlay(params, setting, "the study")
    return DeclaredParams(params, SECTIONS, "tune")


def examples(file: Path, *names: str) -> "dict[str, Examples]":
    from darkroom.examples.pixels import Examples

    classes = tuple(f"class {number}" for number in range(CLASSES))
    splits = load(file, *names).items()
    return {name: Examples(pixels, np.arange(len(pixels)), labels, classes) for name, (pixels, labels) in splits}


def search(file: Path, seed: int, tune: dict[str, Any]) -> dict[str, Any]:
    from darkroom.tune.tuning import run_search

    data = examples(file, "train", "validation")
    params = parameters({"tune": {"seed": seed, **tune}, "train": {"seed": seed}})
    with TemporaryDirectory() as cache:
        found = run_search(params, lambda _: data, Path(), Path(cache), "", lambda _: None)
    choice, states = found.choice, [trial.state for trial in found.trials]
    return {
        "setting": choice.overlay,
        "reported": choice.search_score if choice.fresh_score is None else choice.fresh_score,
        "epochs": sum(len(trial.curve) for trial in found.trials) + EPOCHS * len(found.fresh_runs),
        "search score": choice.search_score,
        "trials": {state: states.count(state) for state in set(states)},
    }


def again(file: Path, seeds: list[int], setting: Setting) -> dict[str, Any]:
    """Return the accuracies of the setting trained with each seed."""
    from darkroom.execution.processes import Processes
    from darkroom.train.jobs import Job
    from darkroom.train.measuring import measure_in_process

    data, splits = examples(file, "train", "validation", "test"), ("validation", "test")
    with Processes() as processes:
        jobs = [Job(parameters(setting, {"train": {"seed": seed}}), data, Path()) for seed in seeds]
        scores = [measure_in_process(processes, job, splits).scores for job in jobs]
    return {split: [one[split]["accuracy"] for one in scores] for split in splits}


def main() -> None:
    from darkroom.train.jobs import prepare_processes

    file, what, seeds, given = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(","), json.loads(sys.argv[4])
    prepare_processes()
    found = search(file, int(seeds[0]), given) if what == "search" else again(file, [int(one) for one in seeds], given)
    report(**found)


if __name__ == "__main__":
    main()
