"""Trainings that are measured and forgotten: what a search and a comparison need of each."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from darkroom.examples.metrics import score_split
from darkroom.execution.processes import Processes
from darkroom.models.combine import combine
from darkroom.models.cost import measure_latency, multiply_adds
from darkroom.train.checkpoint import Row
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Job, TrainingProcesses, run_job, started_afresh

if TYPE_CHECKING:
    import keras

LATENCY = "latency"  # the cost that takes time to measure, and that no two runs agree on
Ask = Callable[[tuple[int, Row]], bool]


@dataclass(frozen=True)
class Measured:
    """The result of a training: small, so that a process can send it.

    `scores` of each split that was asked for are those of `examples.metrics.score`; `seconds` are those of training
    and scoring; `costs` are parameters, multiply_adds, kilobytes (of its weights) and, where asked for, latency (ms for
    one picture, median).
    """

    scores: dict[str, dict[str, float]]
    seconds: float
    costs: dict[str, float]


def measure(job: Job, splits: tuple[str, ...], on_epoch: OnEpoch | None = None, latency: bool = False) -> Measured:
    """Train in this process and score the splits, averaged as the network will be served (model.average).

    `on_epoch` gets the number of each epoch and its row, and stops the training by returning True. The row has
    validation_log_loss: of the labels as they are, whatever the loss of the training. Raises Diverged. TensorFlow must
    have been started (`start_tensorflow`).
    """

    def watch(epoch: int, row: Row) -> bool:
        log_loss = row.get("validation_log_loss", row["validation_loss"])
        return on_epoch is not None and on_epoch(epoch, {**row, "validation_log_loss": log_loss})

    start, params = time.monotonic(), job.params
    network = combine([run_job(job, on_epoch=watch).network], params.model.average)
    scores = {name: score_split(network, job.data[name], params.train.batch_size) for name in splits}
    seconds = time.monotonic() - start
    costs = _costs(network)
    if latency:
        costs[LATENCY] = measure_latency(network, params.image.size, params.train.threads)["batch1_p50"]
    return Measured(scores, seconds, costs)


def measure_in_process(
    processes: TrainingProcesses,
    job: Job,
    splits: tuple[str, ...],
    on_epoch: OnEpoch | None = None,
    latency: bool = False,
    device: int | None = None,
) -> Measured:
    """Do the same in a process of its own; `on_epoch` is called in this process, on a cluster a copy of it first.

    It sees `train.devices` GPUs only, those of share number `device`, from 0; a cluster chooses them itself. Several
    threads may call it at once. Raises Diverged; Failed; Died, and Killed when the process was killed.
    """
    share = device if isinstance(processes, Processes) else None
    return processes.call(_measure_afresh, job, splits, latency, share, answer=partial(_stops, on_epoch))


def _stops(on_epoch: OnEpoch | None, epoch: tuple[int, Row]) -> bool:
    return on_epoch is not None and on_epoch(*epoch)


def _measure_afresh(job: Job, splits: tuple[str, ...], latency: bool, device: int | None, ask: Ask) -> Measured:
    """Measure in a process that has not started TensorFlow."""
    with started_afresh(job.params.train, device):
        return measure(job, splits, lambda epoch, row: ask((epoch, row)), latency)


def _costs(network: "keras.Model") -> dict[str, float]:
    parameters = float(network.count_params())
    return {
        "parameters": parameters,
        "multiply_adds": float(multiply_adds(network)),
        "kilobytes": 4 * parameters / 1000,
    }
