"""What is recorded when an epoch ends: its metrics are kept and logged, the state is saved, the training may stop."""

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Checkpoint, Progress, Row
from darkroom.train.optimizer import UNPENALISED
from darkroom.train.phases import Phase

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary

LogMetrics = Callable[[dict[str, float], int], None]
OnEpoch = Callable[[int, Row], bool]  # the epoch's number and its metrics; True stops the training


@dataclass(frozen=True)
class Training:
    """What all phases of a training share.

    `log` and `on_epoch` are called with the metrics of each epoch; `vary` makes its pictures and targets.
    """

    network: "keras.Model"
    params: DeclaredParams
    progress: Progress
    checkpoint: Checkpoint | None
    log: LogMetrics | None
    on_epoch: OnEpoch | None
    vary: "Vary"

    def record(
        self,
        row: Row,
        images_per_second: float,
        weights: list[np.ndarray],
        optimizer: "keras.optimizers.Optimizer",
    ) -> None:
        """Keep the metrics and weights of an epoch that ended, save the state, report."""
        number = len(self.progress.rows) + 1
        self.progress.add({**row, "epoch": number}, weights)
        if self.checkpoint:
            self.checkpoint.save(self.network, optimizer, self.progress)
        self._report(self.progress.rows[-1], {"images_per_second": images_per_second, "peak_memory_mb": _peak_memory()})

    def resume(self) -> None:
        """Take the progress from the checkpoint, if there is one; its epochs are reported again, to the new run."""
        if self.checkpoint:
            self.checkpoint.load(self.progress)
        for row in self.progress.rows:
            self._report(row, {})

    def restore(self, phase: Phase, optimizer: "keras.optimizers.Optimizer | None" = None) -> None:
        """Bring the network, and the optimizer, to the last epoch, if it was of this phase."""
        if self.checkpoint and self.progress.rows and self.progress.rows[-1]["phase"] == phase.number:
            self.checkpoint.restore(self.network, optimizer)

    def _report(self, row: Row, cost: dict[str, float]) -> None:
        metrics, number = {name: value for name, value in row.items() if name != "phase"}, int(row["epoch"])
        if self.log:
            self.log({**metrics, **cost}, number)
        if self.on_epoch and self.on_epoch(number, metrics):
            self.progress.stopped = True


def _peak_memory() -> float:
    """Return the most memory that this process had so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def readable(logs: dict[str, float]) -> Row:
    """Return Keras's names as ours: val_loss -> validation_loss; a loss with a penalty gives way to the one without."""
    plain = {name: value for name, value in logs.items() if UNPENALISED not in name}
    plain |= {name.replace(UNPENALISED, "loss"): value for name, value in logs.items() if UNPENALISED in name}
    return {name.replace("val_", "validation_"): float(value) for name, value in plain.items()}
