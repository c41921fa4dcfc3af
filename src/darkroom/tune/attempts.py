"""Trainings side by side: each in a thread that waits for its process, tried again when that is killed."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from darkroom.examples.metrics import Diverged
from darkroom.execution.processes import Died, Killed, Processes
from darkroom.params.declared import DeclaredParams
from darkroom.params.search import Tune
from darkroom.params.training import Train
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Job
from darkroom.train.measuring import LATENCY, Failed, Measured, measure_in_process, parallel_trainings
from darkroom.tune.pictures import Load

R = TypeVar("R")
Task = Callable[[int], R]  # gets the number of its slot, from 0
TrainOnce = Callable[[DeclaredParams, OnEpoch | None, int | None], Measured]  # parameters, on_epoch, GPU
ATTEMPTS = 2  # a first kill may have been anybody's; a second one of the same training is its memory


@dataclass(frozen=True)
class Trainer:
    """What trains a combination and scores it on validation, and how many of them side by side."""

    train: TrainOnce
    slots: int = 1


def trainer(processes: Processes, load: Load, weights: Path, params: DeclaredParams) -> Trainer:
    """Return the trainer whose trainings run in processes of their own, as many as `tune` and the machine allow.

    Where the latency of a network is measured, one at a time: the others would slow it.
    """
    tune, latency = params.tune, LATENCY in params.tune.costs

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        job = Job(candidate, load(candidate), weights)
        return measure_in_process(processes, job, ("validation",), on_epoch, latency, gpu)

    return Trainer(train, 1 if latency else _slots(processes, tune, params.train))


def _slots(processes: Processes, tune: Tune, train: Train) -> int:
    """Return how many trainings run side by side; a process counts the GPUs, as this one does without TensorFlow."""
    return 1 if tune.batch == 1 else min(processes.call(parallel_trainings, train), tune.batch or 1000)


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
        measured = train_again_if_it_died(train)
    except (Died, Diverged, Failed) as error:
        return Outcome(seconds=time.monotonic() - start, reason=reason_of(error))
    seconds, scores = time.monotonic() - start, {**measured.scores["validation"], **measured.costs}
    bad = [name for name in needed if not math.isfinite(scores[name])]
    if bad:
        return Outcome({}, seconds, f"{bad[0]} is not a number")
    return Outcome(scores, seconds)


def train_again_if_it_died(train: Callable[[], Measured]) -> Measured:
    """Train; once more when the process died before it had a result. Raises Died the second time."""
    for _ in range(ATTEMPTS - 1):
        try:
            return train()
        except Died:
            continue
    return train()


def reason_of(error: Exception) -> str:
    """Return why a training gave no model, when `train_again_if_it_died` raised this."""
    if isinstance(error, Killed):
        return "killed twice; it probably ran out of memory"
    return f"{error}, twice" if isinstance(error, Died) else str(error)


def side_by_side(tasks: Iterable[Task[R]], slots: int) -> Iterator[R]:
    """Run tasks in threads, at most `slots` at a time; yield their results as they end.

    The next task is asked for, in this thread, when a slot is free and the results so far have been yielded. When this
    is interrupted, or a task raises, no other one begins; whoever made the tasks ends those that run.
    """
    free, running, waiting = deque(range(slots)), dict[Future[R], int](), iter(tasks)
    threads = ThreadPoolExecutor(slots)
    try:
        while True:
            while free and (task := next(waiting, None)):
                slot = free.popleft()
                running[threads.submit(task, slot)] = slot
            if not running:
                return
            ended = wait(running, return_when=FIRST_COMPLETED).done
            for future in [future for future in running if future in ended]:
                free.append(running.pop(future))
                yield future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
