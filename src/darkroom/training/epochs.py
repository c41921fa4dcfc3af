"""What happens at the end of each epoch: its numbers are kept and logged, the state is saved, patience may end."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.params.declared import DeclaredParams
from darkroom.training.checkpoint import Checkpoint, Progress
from darkroom.training.phases import Phase

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

    train, progress = training.params.train, training.progress
    averaging = [keras.callbacks.SwapEMAWeights()] if train.ema else []

    class EpochEnd(keras.callbacks.Callback):
        """Keeps the row of each epoch and what a stopped training needs."""

        started = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            """Start the clock."""
            self.started = time.monotonic()

        def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            """Stop it; the validation is not training."""
            self.seconds = time.monotonic() - self.started

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
            """Keep, save and log."""
            number = len(progress.rows) + 1
            row = {**readable(logs), "learning_rate": self._rate(), "epoch": number}
            progress.add({**row, "phase": phase.number}, self._weights)
            if training.checkpoint:
                training.checkpoint.save(self.model, progress)
            if training.log:
                training.log({**row, **self._speed()}, number)
            self.model.stop_training = progress.is_over(phase, train.patience)

        def _rate(self) -> float:
            return float(rates[(progress.epochs_in(phase.number) + 1) * self.params["steps"] - 1])

        def _weights(self) -> list[np.ndarray]:
            for callback in averaging:
                callback.on_test_begin()
            weights = self.model.get_weights()
            for callback in averaging:
                callback.on_test_end()
            return weights

        def _speed(self) -> dict[str, float]:
            unit = 1 if sys.platform == "darwin" else 1024  # bytes
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
            return {"images_per_second": pictures / max(self.seconds, 1e-9), "peak_memory_mb": memory}

    return [*averaging, EpochEnd()]


def readable(logs: dict[str, float]) -> dict[str, float]:
    """Return Keras's names as ours: val_loss -> validation_loss."""
    return {name.replace("val_", "validation_"): float(value) for name, value in logs.items()}
