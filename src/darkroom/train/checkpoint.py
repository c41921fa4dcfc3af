"""What an interrupted training needs to resume as if it had not been interrupted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from darkroom.core.files import remove, replacing
from darkroom.execution.locks import locked

if TYPE_CHECKING:
    import keras

    from darkroom.train.phases import Phase

Row = dict[str, float]
FINISHED = "finished"  # an empty file beside the checkpoints
KEPT = 3  # finished trainings


class Progress:
    """How far a training is: one row per epoch, and the weights of the best one."""

    def __init__(self, keep: str) -> None:
        self.keep = keep
        self.rows: list[Row] = []
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] = []
        self.stopped = False  # by `on_epoch`

    def add(self, row: Row, weights: list[np.ndarray]) -> None:
        """Add the metrics of one more epoch, and its weights when it is the best."""
        self.rows.append(row)
        better = self._is_better(row, self.rows[self.best_epoch - 1])
        if not self.best_epoch or (better and not self.diverged):
            self.best_epoch, self.best_weights = len(self.rows), weights

    def epochs_in(self, phase: int) -> int:
        """Return how many epochs of a phase are done."""
        return sum(row["phase"] == phase for row in self.rows)

    def is_over(self, phase: "Phase", patience: int) -> bool:
        """Return whether a phase is over: all its epochs are done, or `patience` of them without a better one.

        Patience begins when the pictures have their full size. A loss that is not finite ends a phase too, as does a
        later one.
        """
        done = self.epochs_in(phase.number)
        idle = min(len(self.rows) - self.best_epoch, done - phase.small_epochs)
        later = bool(self.rows) and self.rows[-1]["phase"] > phase.number
        return later or self.stopped or self.diverged or done >= phase.epochs or (0 < patience <= idle)

    @property
    def diverged(self) -> bool:
        """Whether the loss of the last epoch is not finite."""
        return bool(self.rows) and not np.isfinite(self.rows[-1]["loss"])

    def _is_better(self, row: Row, best: Row) -> bool:
        if self.keep == "last":  # of fine-tuning, the last that is not worse than what it began with
            earlier = [old["validation_loss"] for old in self.rows if old["phase"] < row["phase"]]
            return not earlier or row["validation_loss"] <= earlier[-1]
        name, sign = ("validation_accuracy", 1) if self.keep == "accuracy" else ("validation_loss", -1)
        return sign * row[name] > sign * best[name] or not np.isfinite(best[name])


@contextmanager
def locked_checkpoints(folder: Path) -> Iterator[Path]:
    """Yield the folder of a training's checkpoints, for this process alone.

    When the block succeeds the training is finished, and the folder stays: an equal training, perhaps one that waits
    for this one, restores the result in seconds. The newest few finished ones are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(_lock_file(folder)):  # experiments may train the same at the same time
        yield folder
        with locked(folder.with_name("finished.lock")):
            (folder / FINISHED).touch()
            _delete_older(folder.parent)


def _delete_older(folder: Path) -> None:
    """Delete the finished trainings of `folder` but the newest ones and those that another process uses."""
    finished = sorted(folder.glob(f"*/{FINISHED}"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in (file.parent for file in finished[KEPT:]):
        with suppress(Timeout), FileLock(_lock_file(old), timeout=0):
            remove(old)


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.used")


class Checkpoint:
    """A folder with one file: the last finished epoch of a training.

    It holds the progress and every variable of network and optimizer, so also the moments and the states of random
    layers; of a finished training the progress alone. It is written whole: a kill while it is written leaves the epoch
    before. The optimizer may be that of a part of the network, with which a phase trains.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "last.npz"

    def save(self, network: "keras.Model", optimizer: "keras.optimizers.Optimizer", progress: Progress) -> None:
        """Write the state of both, and the progress."""
        self._write(progress, [np.asarray(variable) for variable in _variables(network, optimizer)])

    def finish(self, progress: Progress) -> None:
        """Write the progress of a training that is over."""
        self._write(progress, [])

    def _write(self, progress: Progress, state: list[np.ndarray]) -> None:
        arrays = {f"state{number:05}": value for number, value in enumerate(state)}
        arrays |= {f"best{number:05}": value for number, value in enumerate(progress.best_weights)}
        facts = json.dumps({"rows": progress.rows, "best_epoch": progress.best_epoch})
        with replacing(self.file) as unfinished, unfinished.open("wb") as file:
            np.savez(file, facts=np.array(facts), **arrays)  # type: ignore[arg-type]

    def load(self, progress: Progress) -> None:
        """Bring progress to what was saved, if anything was."""
        if not self.file.exists():
            return
        with np.load(self.file) as saved:
            facts = json.loads(str(saved["facts"]))
            progress.rows, progress.best_epoch = facts["rows"], facts["best_epoch"]
            progress.best_weights = [saved[name] for name in sorted(saved.files) if name.startswith("best")]

    def restore(self, network: "keras.Model", optimizer: "keras.optimizers.Optimizer | None") -> None:
        """Bring both to what was saved, if anything was; None: the network alone, of a phase that is over."""
        if not self.file.exists():
            return
        with np.load(self.file) as saved:
            states = [saved[name] for name in sorted(saved.files) if name.startswith("state")]
        for variable, value in zip(_variables(network, optimizer), states, strict=False):  # a finished one left none
            variable.assign(value)


def _variables(network: "keras.Model", optimizer: "keras.optimizers.Optimizer | None") -> "list[keras.Variable]":
    """Return weights, states of random layers and of the optimizer; metrics begin anew with each epoch."""
    metrics = {id(variable) for variable in network.metrics_variables}
    variables = [variable for variable in network.variables if id(variable) not in metrics]
    return [*variables, *(optimizer.variables if optimizer else [])]
