"""A training as a job, which can be sent to another process."""

from dataclasses import dataclass
from pathlib import Path

from darkroom.examples.pixels import Examples
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
