"""Trainings that are measured and forgotten: what a search and a comparison need of each."""

from dataclasses import dataclass

from darkroom.params.training import Train
from darkroom.train.checkpoint import Row
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Job


@dataclass(frozen=True)
class Measured:
    """The result of a training: small, so that a process can send it.

    `scores` of each split that was asked for are those of `examples.metrics.score`; `curve` has a row for each epoch,
    with validation_log_loss (of the labels as they are, whatever the loss of the training); `seconds` are those of
    training and scoring; `costs` are parameters, multiply_adds, kilobytes and, where asked for, latency in ms.
    """

    scores: dict[str, dict[str, float]]
    curve: list[Row]
    seconds: float
    costs: dict[str, float]


def measure(
    job: Job, splits: tuple[str, ...], on_epoch: OnEpoch | None = None, costs: tuple[str, ...] = ()
) -> Measured:
    """Train in this process and score the splits, averaged as the network will be served (model.average).

    Raises Diverged. TensorFlow must have been started (`start_tensorflow`).
    """
    raise NotImplementedError


def measure_in_process(
    job: Job,
    splits: tuple[str, ...],
    on_epoch: OnEpoch | None = None,
    costs: tuple[str, ...] = (),
    device: int | None = None,
) -> Measured:
    """Do the same in a process of its own, which may use GPU `device` only; `on_epoch` is called in this process.

    Several threads may call it at once. Raises Diverged; UserError when the process was killed.
    """
    raise NotImplementedError


def parallel_trainings(train: Train) -> int:
    """Return how many trainings run side by side: cores / train.threads, or the number of GPUs; at least 1."""
    raise NotImplementedError
