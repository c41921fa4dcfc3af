"""A search whose trainings cost nothing."""

import math
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer, TrainOnce
from darkroom.tune.search import search
from darkroom.tune.store import open_store, study_name
from darkroom.tune.trial import Trial
from easy import small_params

SPACE: dict[str, dict[str, dict[str, Any]]] = {
    "train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "batch_size": {"low": 8, "high": 32}},
    "model": {"dropout": {"low": 0.1, "high": 0.5, "step": 0.1}, "filters": {"choices": [[4], [4, 8], [2, 2, 2]]}},
}


def params(**tune: Any) -> DeclaredParams:
    return small_params(tune={"space": SPACE, "trials": 8, "epochs": 9, **tune})


def cost(candidate: DeclaredParams) -> float:
    train, model = candidate.train, candidate.model
    return (math.log10(train.learning_rate) + 2) ** 2 + model.dropout + 0.2 * len(model.filters) + train.batch_size / 64


def train_cheaply(
    candidate: DeclaredParams, on_epoch: OnEpoch | None, _gpu: int | None, _checkpoint: Path | None
) -> Measured:
    """Return the cost as log loss, to which each epoch comes nearer."""
    for epoch in range(1, candidate.train.epochs + 1):
        if on_epoch and on_epoch(epoch, {"epoch": epoch, "validation_log_loss": cost(candidate) + 1 / epoch}):
            break
    scores = {"log_loss": cost(candidate), "accuracy": 1 / (1 + cost(candidate))}
    return Measured({"validation": scores}, 0.0, {"parameters": 100.0 * len(candidate.model.filters)})


def failing(error: BaseException, *calls: int) -> TrainOnce:
    """Return a training that raises `error` in these of its calls, counted from 0."""
    made: list[int] = []

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        made.append(len(made))
        if made[-1] in calls:
            raise error
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    return train


def noting(trained: list[DeclaredParams]) -> TrainOnce:
    """Return a training that adds the parameters of each call to `trained`."""

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        trained.append(candidate)
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    return train


def run(folder: Path, train: TrainOnce = train_cheaply, slots: int = 1, **tune: Any) -> tuple[list[Trial], list[int]]:
    """Search; return the trials and the numbers of those that were not kept before, in the order of their ends."""
    tried: list[int] = []
    chosen = params(**tune)
    with open_store(folder, study_name("content", chosen), chosen.tune) as store:
        trials = search(chosen, Trainer(train, slots), store, lambda trial: tried.append(trial.number))
    return trials, tried


@cache
def whole() -> list[Trial]:
    """Return the eight trials of a search that nothing stopped."""
    with TemporaryDirectory() as folder:
        return run(Path(folder))[0]


def told(trials: list[Trial]) -> list[Any]:
    """Return all that repeats: not the time."""
    return [(trial.drawn, trial.state, trial.scores, trial.curve, trial.reason, trial.rungs) for trial in trials]
