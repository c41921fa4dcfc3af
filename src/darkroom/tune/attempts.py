"""The trainings of a search: each in a process of its own, tried again when that is killed, and how it ended."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.examples.metrics import Diverged
from darkroom.execution.processes import Died
from darkroom.execution.tasks import reason_of, retry_if_died
from darkroom.params.declared import DeclaredParams
from darkroom.params.search import Tune
from darkroom.params.training import Train
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Failed, Job, TrainingProcesses, parallel_trainings
from darkroom.train.measuring import LATENCY, Measured, measure_in_process
from darkroom.tune.pictures import Load

# parameters, on_epoch, GPU, the folder of the checkpoint from which it goes on
TrainOnce = Callable[[DeclaredParams, OnEpoch | None, int | None, Path | None], Measured]


@dataclass(frozen=True)
class Trainer:
    """What trains a combination and scores it on validation, and how many of them side by side.

    `checkpoints` is the folder for the state of those that wait at a rung; without it they begin anew.
    """

    train: TrainOnce
    slots: int = 1
    checkpoints: Path | None = None


def trainer(
    processes: TrainingProcesses, load: Load, weights: Path, params: DeclaredParams, checkpoints: Path | None = None
) -> Trainer:
    """Return the trainer whose trainings run in processes of their own, as many as `tune` and the machines allow.

    Where the latency of a network is measured, one at a time: the others would slow it.
    """
    tune, latency = params.tune, LATENCY in params.tune.costs

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        job = Job(candidate, load(candidate), weights, checkpoint)
        return measure_in_process(processes, job, ("validation",), on_epoch, latency, gpu)

    return Trainer(train, 1 if latency else _slots(processes, tune, params.train), checkpoints)


def _slots(processes: TrainingProcesses, tune: Tune, train: Train) -> int:
    return 1 if tune.batch == 1 else min(parallel_trainings(processes, train), tune.batch or 1000)


@dataclass(frozen=True)
class Outcome:
    """How a training ended: its scores and costs, empty when it gave no model, and the reason why not."""

    scores: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""


def attempt(train: Callable[[], Measured], needed: Iterable[str]) -> Outcome:
    """Train, once more when the process was killed; what is the combination's or the machine's fault is a reason.

    `needed` are the scores and costs that must be numbers. Raises any other error.
    """
    start = time.monotonic()
    try:
        measured = retry_if_died(train)
    except (Died, Diverged, Failed) as error:
        return Outcome(seconds=time.monotonic() - start, reason=reason_of(error))
    seconds, scores = time.monotonic() - start, {**measured.scores["validation"], **measured.costs}
    bad = [name for name in needed if not math.isfinite(scores[name])]
    if bad:
        return Outcome({}, seconds, f"{bad[0]} is not a number")
    return Outcome(scores, seconds)
