"""The search of the stage tune, in steps: trials, the best of them again with fresh seeds, the choice."""

import logging
from collections.abc import Callable
from pathlib import Path

from darkroom.core.files import remove
from darkroom.params.declared import DeclaredParams
from darkroom.params.search import Tune
from darkroom.train.jobs import training_processes
from darkroom.tune.attempts import trainer
from darkroom.tune.choice import Choice, Found, choose, finalists, fresh_seeds
from darkroom.tune.fresh import run_fresh
from darkroom.tune.pictures import Load
from darkroom.tune.report import obstacle
from darkroom.tune.search import search
from darkroom.tune.store import open_store, study_name
from darkroom.tune.trial import Trial

logger = logging.getLogger(__name__)


def run_search(
    params: DeclaredParams, load: Load, weights: Path, cache: Path, content: str, on_trial: Callable[[Trial], None]
) -> Found:
    """Search, train the finalists again with fresh seeds, and choose.

    `load` gives the pictures of a candidate, `weights` is the folder with the file that `model.weights` may name.
    `content` is the digest of data and code: with it and the parameters a stopped search is found again below `cache`.
    `on_trial` is called as each trial ends. Raises UserError when no combination, or no finalist, gives a model.
    """
    tune = params.tune
    searched = ", ".join(f"{section}.{key}" for section, space in tune.space.items() for key in space)
    name = study_name(content, params)
    logger.info("searching %s (study %s); their values in params.yaml are the first trial", searched, name)
    load(params)  # in this thread, where Ctrl-C stops it
    checkpoints = cache / "tune" / name
    with open_store(cache / "tune", name, tune) as store, training_processes(params.train) as processes:
        training = trainer(processes, load, weights, params, checkpoints)
        trials = search(params, training, store, on_trial)
        remove(checkpoints)
        seeds = fresh_seeds(tune, params.train)
        runs = run_fresh(
            params, training, store, [(trial, seed) for trial in finalists(trials, tune) for seed in seeds]
        )
    choice, reason = choose(trials, runs, tune), obstacle(tune, training.slots)
    logger.info("%s", _told(choice, tune))
    return Found(trials, runs, choice, tune, not reason, reason)


def _told(choice: Choice, tune: Tune) -> str:
    """Return the choice as a line of the log."""
    name = f"trial {choice.number}" if choice.number else "trial 0, the values of params.yaml,"
    searched = "" if choice.search_score is None else f"{choice.search_score:.4f} in the search"
    afresh = "" if choice.fresh_score is None else f"{choice.fresh_score:.4f} with fresh seeds"
    scores = ", ".join(filter(None, [searched, afresh]))
    cheap = f"; the least {tune.costs[0]} within tune.tolerance of the best" if tune.costs else ""
    return f"{name} is chosen: validation {tune.metric} {scores}{cheap}"
