"""A training as a job, which can be sent to another process, and the processes that train: here or on a cluster."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkroom.core.errors import UserError, first_line
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.cluster import nodes, on_cluster
from darkroom.execution.cluster_processes import ClusterProcesses
from darkroom.execution.processes import Processes
from darkroom.execution.quiet import silence_libraries
from darkroom.execution.tasks import side_by_side
from darkroom.execution.workers import prepare_workers
from darkroom.params.declared import DeclaredParams
from darkroom.params.training import Train
from darkroom.train.checkpoint import Checkpoint
from darkroom.train.epochs import LogMetrics, OnEpoch
from darkroom.train.fit import Fit, fit

TrainingProcesses = Processes | ClusterProcesses
Logged = list[tuple[dict[str, float], int]]  # metrics, epoch
PRELOADED = "darkroom.train.preloaded"
logger = logging.getLogger(__name__)


class Failed(UserError):
    """A training ended with an error of TensorFlow's operations, such as want of memory."""


@dataclass(frozen=True)
class Job:
    """All that a training needs: parameters, train and validation, the folders of given weights and of its checkpoint.

    It can be pickled, and is small where the pixels of its examples are mapped from a file.
    """

    params: DeclaredParams
    data: dict[str, Examples]
    weights: Path
    checkpoint: Path | None = None


def run_job(job: Job, log: LogMetrics | None = None, verbose: int = 0, on_epoch: OnEpoch | None = None) -> Fit:
    """Train in this process; start TensorFlow first (`start_tensorflow`)."""
    checkpoint = Checkpoint(job.checkpoint) if job.checkpoint else None
    return fit(job.data, job.params, job.weights, checkpoint, log, verbose, on_epoch)


def prepare_processes() -> None:
    """Let the processes of trainings begin with TensorFlow imported; call it before any other process is started.

    Elsewhere than on Linux, a process must not be forked from one that has loaded such libraries.
    """
    if sys.platform == "linux" and not on_cluster():
        prepare_workers(PRELOADED)


def training_processes(train: Train) -> TrainingProcesses:
    """Return where trainings run: in processes of this machine or, where RAY_ADDRESS names a cluster, in its tasks.

    There each takes `train.threads` CPUs and, where a node has GPUs, `train.devices` of them; its files must be on a
    disk that all nodes share.
    """
    if not on_cluster():
        return Processes()
    gpus = train.devices if any(node.gpus for node in nodes()) else 0
    return ClusterProcesses(train.threads, gpus, PRELOADED)


def parallel_trainings(processes: TrainingProcesses, train: Train) -> int:
    """Return how many trainings run side by side, at least 1: those that the cluster holds, or that this machine does.

    Another process counts the GPUs, as this one does without TensorFlow.
    """
    return processes.slots if isinstance(processes, ClusterProcesses) else processes.call(_fitting, train)


def train_in_tasks(jobs: Sequence[Job]) -> dict[int, Logged]:
    """Train each job in a process of its own, which leaves its checkpoint finished.

    Return by number, from 1, what each logged.
    """
    logged: dict[int, Logged] = {}
    with training_processes(jobs[0].params.train) as processes:
        slots = parallel_trainings(processes, jobs[0].params.train)
        logger.info("%d networks are trained on the cluster, %d at a time", len(jobs), min(len(jobs), slots))
        tasks = [partial(_train_numbered, processes, number, job) for number, job in enumerate(jobs, start=1)]
        for number, log in side_by_side(tasks, slots):
            logged[number] = log
            logger.info("network %d of %d is trained", number, len(jobs))
    return logged


def _train_numbered(processes: TrainingProcesses, number: int, job: Job, _slot: int) -> tuple[int, Logged]:
    return number, processes.call(_train_afresh, job)


def _train_afresh(job: Job) -> Logged:
    """Train and return what is logged (runs in the process)."""
    logged: Logged = []
    with started_afresh(job.params.train):
        run_job(job, lambda metrics, epoch: logged.append((metrics, epoch)))
    return logged


def _fitting(train: Train) -> int:
    """Return cores / train.threads, or GPUs / train.devices; at least 1."""
    from joblib import cpu_count

    gpus = gpu_count()
    return max(1, gpus // train.devices if gpus else cpu_count() // train.threads)


def gpu_count() -> int:
    """Return the number of GPUs that TensorFlow sees, without taking any memory of theirs."""
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


@contextmanager
def started_afresh(train: Train, device: int | None = None) -> Iterator[None]:
    """Start TensorFlow, in a process that has not, for the GPUs of share `device`; its errors are raised as Failed."""
    silence_libraries()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible_gpus(device, train.devices)
    start_tensorflow(train.threads)
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        raise Failed(f"{type(error).__name__}: {first_line(error)}", 1) from None


def visible_gpus(share: int, count: int) -> str:
    """Return the names for CUDA of the GPUs in a share, each of `count`, of those that the user has made visible."""
    end = (share + 1) * count
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # empty: none
    names = [str(number) for number in range(end)] if visible is None else visible.split(",")
    return ",".join(names[share * count : end])
