"""Settings that a search found, trained again with seeds that it has not used."""

import logging
from collections.abc import Sequence

from darkroom.execution.tasks import Task, side_by_side
from darkroom.params.declared import DeclaredParams
from darkroom.tune.attempts import Trainer, attempt
from darkroom.tune.space import trial_params
from darkroom.tune.store import TrialStore
from darkroom.tune.trial import FreshRun, Trial

logger = logging.getLogger(__name__)


def run_fresh(
    params: DeclaredParams, trainer: Trainer, store: TrialStore, pairs: Sequence[tuple[Trial, int]]
) -> list[FreshRun]:
    """Train each trial's setting with the seed beside it, as long as a trial; return the runs in the order of `pairs`.

    Each that gives a model is kept in `store` as it ends; those that are there are not run again. The scores of the
    others, for which memory may have been short, are empty.
    """
    kept = {(run.number, run.seed): run for run in store.fresh_runs()}
    missing = [(trial, seed) for trial, seed in pairs if (trial.number, seed) not in kept]
    tasks = [_task(params, trainer, trial, seed) for trial, seed in missing]
    for run, reason in side_by_side(tasks, trainer.slots):
        if run.scores:
            store.add_fresh(run)
        kept[run.number, run.seed] = run
        metric = params.tune.metric
        told = f"validation {metric} {run.scores[metric]:.4f}" if run.scores else f"gave no model: {reason}"
        logger.info("trial %d with the fresh seed %d: %s", run.number, run.seed, told)
    return [kept[trial.number, seed] for trial, seed in pairs]


def _task(params: DeclaredParams, trainer: Trainer, trial: Trial, seed: int) -> Task[tuple[FreshRun, str]]:
    candidate = trial_params(params, trial.drawn.overlay).overlaid({"train": {"seed": seed}}, "params.yaml")

    def run(slot: int) -> tuple[FreshRun, str]:
        gpus = slot if trainer.slots > 1 else None
        outcome = attempt(lambda: trainer.train(candidate, None, gpus, None), (params.tune.metric, *params.tune.costs))
        return FreshRun(trial.number, seed, outcome.scores, outcome.seconds), outcome.reason

    return run
