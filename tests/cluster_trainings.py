"""What a search in batches and an ensemble give, as digests on stdout; arguments: a folder, and one of them or none."""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))


def search(folder: Path) -> Any:
    """Return all that repeats of five trials, and the scores of one with a fresh seed."""
    from cheap_search import told
    from darkroom.train.jobs import prepare_processes
    from darkroom.tune.tuning import run_search
    from easy import data, small_params

    space = {"train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    tune = {"trials": 5, "epochs": 4, "batch": 3, "pruner": "halving", "finalists": 1, "fresh_seeds": 1}
    params = small_params(train={"threads": 1}, tune={"enabled": True, **tune, "space": space})
    prepare_processes()
    found = run_search(params, lambda _: data(), folder, folder, "content", lambda _: None)
    return [told(list(found.trials)), [run.scores for run in found.fresh_runs]]


def ensemble(folder: Path) -> Any:
    """Return the weights of two networks, and what was logged of their epochs but time and memory."""
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.train.ensemble import Data, Fold, fit_members, members, train_on_cluster
    from easy import data, small_params, weights_digest

    params = small_params(train={"threads": 1, "epochs": 40}, ensemble={"seeds": 2})
    parts: dict[Fold, Data] = {None: data()}
    chosen = members(params, list(parts))
    trained = train_on_cluster(chosen, parts, folder, folder)
    start_tensorflow(1)
    logged: list[Any] = []
    fits = fit_members(chosen, parts, folder, folder, lambda *row: logged.append(row), 0, trained)
    costs = ("images_per_second", "peak_memory_mb")
    rows = [[epoch, {key: row[key] for key in row if not key.endswith(costs)}] for row, epoch in logged]
    return [[weights_digest(one.network) for one in fits], rows]


def main(folder: Path, *names: str) -> None:
    from darkroom.core.files import digest
    from darkroom.execution.exits import reported_errors
    from darkroom.execution.quiet import silence_libraries

    silence_libraries()
    os.environ["DVC_ROOT"] = str(folder)
    works = {"search": search, "ensemble": ensemble}
    with reported_errors("trainings"):
        print(json.dumps({name: digest([str(works[name](folder / name))]) for name in names or works}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
