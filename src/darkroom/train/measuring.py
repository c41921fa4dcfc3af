"""Trainings that are measured and forgotten: what a search and a comparison need of each."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError, first_line
from darkroom.examples.metrics import score_split
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.processes import Processes
from darkroom.execution.quiet import silence_libraries
from darkroom.execution.workers import prepare_workers
from darkroom.models.combine import combine
from darkroom.models.cost import measure_latency, multiply_adds
from darkroom.params.training import Train
from darkroom.train.checkpoint import Row
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Job, run_job

if TYPE_CHECKING:
    import keras

LATENCY = "latency"  # the cost that takes time to measure, and that no two runs agree on
Ask = Callable[[tuple[int, Row]], bool]


class Failed(UserError):
    """A training ended with an error of TensorFlow's operations, such as want of memory."""


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
    processes: Processes,
    job: Job,
    splits: tuple[str, ...],
    on_epoch: OnEpoch | None = None,
    latency: bool = False,
    device: int | None = None,
) -> Measured:
    """Do the same in a process of its own; `on_epoch` is called in this process.

    It sees `train.devices` GPUs only, those of share number `device`, from 0. Several threads may call it at once.
    Raises Diverged; Failed; Died, and Killed when the process was killed.
    """

    def answer(epoch: tuple[int, Row]) -> bool:
        return on_epoch is not None and on_epoch(*epoch)

    return processes.call(_measure_afresh, job, splits, latency, device, answer=answer)


def _measure_afresh(job: Job, splits: tuple[str, ...], latency: bool, device: int | None, ask: Ask) -> Measured:
    """Measure in a process that has not started TensorFlow."""
    silence_libraries()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible_gpus(device, job.params.train.devices)
    start_tensorflow(job.params.train.threads)
    import tensorflow as tf

    try:
        return measure(job, splits, lambda epoch, row: ask((epoch, row)), latency)
    except (tf.errors.OpError, MemoryError) as error:
        raise Failed(f"{type(error).__name__}: {first_line(error)}", 1) from None


def visible_gpus(share: int, count: int) -> str:
    """Return the names for CUDA of the GPUs in a share, each of `count`, of those that the user has made visible."""
    end = (share + 1) * count
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # empty: none
    names = [str(number) for number in range(end)] if visible is None else visible.split(",")
    return ",".join(names[share * count : end])


def prepare_processes() -> None:
    """Let the processes of trainings begin with TensorFlow imported; call it before any other process is started.

    Elsewhere than on Linux, a process must not be forked from one that has loaded such libraries.
    """
    if sys.platform == "linux":
        prepare_workers("darkroom.train.preloaded")


def parallel_trainings(train: Train) -> int:
    """Return how many trainings run side by side: cores / train.threads, or GPUs / train.devices; at least 1."""
    from joblib import cpu_count

    gpus = gpu_count()
    return max(1, gpus // train.devices if gpus else cpu_count() // train.threads)


def gpu_count() -> int:
    """Return the number of GPUs that TensorFlow sees, without taking any memory of theirs."""
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


def _costs(network: "keras.Model") -> dict[str, float]:
    parameters = float(network.count_params())
    return {
        "parameters": parameters,
        "multiply_adds": float(multiply_adds(network)),
        "kilobytes": 4 * parameters / 1000,
    }
