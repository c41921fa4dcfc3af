"""What happens at the end of each epoch: its numbers are kept and logged, the state is saved, patience may end."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Checkpoint, Progress, Row
from darkroom.train.optimizer import UNPENALISED
from darkroom.train.phases import Phase

if TYPE_CHECKING:
    import keras

LogMetrics = Callable[[dict[str, float], int], None]


@dataclass(frozen=True)
class Training:
    """What all phases of a training share; `log` is called with the numbers of each epoch as it ends."""

    network: "keras.Model"
    params: DeclaredParams
    progress: Progress
    checkpoint: Checkpoint | None
    log: LogMetrics | None


def epoch_end(training: Training, phase: Phase, rates: np.ndarray, pictures: int) -> "list[keras.callbacks.Callback]":
    """Return the callbacks of a phase, whose steps have `rates` and whose epochs have `pictures`.

    Validation sees the averaged weights when there are some (`train.ema`).
    """
    import keras

    class EpochEnd(keras.callbacks.Callback):
        """Takes the time of an epoch without its validation, and the weights that validation saw, then records it."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.started = time.monotonic()

        def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            self.seconds = time.monotonic() - self.started

        def on_test_end(self, logs: Any = None) -> None:  # noqa: ARG002
            self.weights = self.model.get_weights()

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            rate = float(rates[(epoch + 1) * self.params["steps"] - 1])
            row = {**readable(logs), "learning_rate": rate, "phase": phase.number}
            _record(training, row, pictures / max(self.seconds, 1e-9), self.weights)
            self.model.stop_training = training.progress.is_over(phase, training.params.train.patience)

    # in this order: swapping the averages in and out rounds, so it is done as often whatever validation says
    return [EpochEnd(), *([keras.callbacks.SwapEMAWeights()] if training.params.train.ema else [])]


def _record(training: Training, row: Row, speed: float, weights: list[np.ndarray]) -> None:
    """Keep the numbers of an epoch that ended, save the state, log."""
    number = len(training.progress.rows) + 1
    training.progress.add({**row, "epoch": number}, weights)
    if training.checkpoint:
        training.checkpoint.save(training.network, training.progress)
    if training.log:
        cost = {"images_per_second": speed, "peak_memory_mb": _memory()}
        training.log({**logged(training.progress.rows[-1]), **cost}, number)


def _memory() -> float:
    """Return the most memory that this process had so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def logged(row: Row) -> Row:
    """Return what MLflow gets of an epoch's row."""
    return {name: value for name, value in row.items() if name != "phase"}


def readable(logs: dict[str, float]) -> dict[str, float]:
    """Return Keras's names as ours: val_loss -> validation_loss; a loss with a penalty gives way to the one without."""
    plain = {name: value for name, value in logs.items() if UNPENALISED not in name}
    plain |= {name.replace(UNPENALISED, "loss"): value for name, value in logs.items() if UNPENALISED in name}
    return {name.replace("val_", "validation_"): float(value) for name, value in plain.items()}
