"""Trainings as jobs, which run in this process or each in one of its own, to the same weights."""

from dataclasses import dataclass
from pathlib import Path

from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.quiet import silence_libraries
from darkroom.execution.workers import call_in_process
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Checkpoint
from darkroom.train.epochs import LogMetrics, OnEpoch
from darkroom.train.fit import Fit, fit


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


def run_job_in_process(job: Job) -> Fit:
    """Train in a process of its own, which takes `train.threads` cores; raises UserError when it was killed."""
    return call_in_process(_run_afresh, job)


def _run_afresh(job: Job) -> Fit:
    """Train in a process that has not started TensorFlow."""
    silence_libraries()
    start_tensorflow(job.params.train.threads)
    return run_job(job)
