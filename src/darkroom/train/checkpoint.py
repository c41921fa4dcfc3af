"""What a training that was stopped needs to go on as if it had not been."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.core.files import remove, replacing
from darkroom.execution.locks import locked

if TYPE_CHECKING:
    import keras

    from darkroom.train.phases import Phase

Row = dict[str, float]


class Progress:
    """How far a training is: a row for each epoch, and the weights of the best one."""

    def __init__(self, keep: str) -> None:
        self.keep = keep
        self.rows: list[Row] = []
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] = []
        self.stopped = False  # by `on_epoch`

    def add(self, row: Row, weights: list[np.ndarray]) -> None:
        """Take the numbers of one more epoch, and its weights when it is the best."""
        self.rows.append(row)
        better = self._is_better(row, self.rows[self.best_epoch - 1])
        if not self.best_epoch or (better and not self.diverged):
            self.best_epoch, self.best_weights = len(self.rows), weights

    def epochs_in(self, phase: int) -> int:
        """Return how many epochs of a phase are done."""
        return sum(row["phase"] == phase for row in self.rows)

    def is_over(self, phase: "Phase", patience: int) -> bool:
        """Return whether a phase is done: all its epochs, `patience` of them without a better one, or a later phase.

        Patience begins when the pictures have their full size. A loss that is no number any more ends it too.
        """
        done = self.epochs_in(phase.number)
        idle = min(len(self.rows) - self.best_epoch, done - phase.small_epochs)
        later = bool(self.rows) and self.rows[-1]["phase"] > phase.number
        return later or self.stopped or self.diverged or done >= phase.epochs or (0 < patience <= idle)

    @property
    def diverged(self) -> bool:
        """Whether the loss of the last epoch is no number."""
        return bool(self.rows) and not np.isfinite(self.rows[-1]["loss"])

    def _is_better(self, row: Row, best: Row) -> bool:
        if self.keep == "last":
            return True
        name, sign = ("validation_accuracy", 1) if self.keep == "accuracy" else ("validation_loss", -1)
        return sign * row[name] > sign * best[name] or not np.isfinite(best[name])


@contextmanager
def until_done(folder: Path) -> Iterator[Path]:
    """Yield the folder of a training's checkpoints, for this process alone; it is deleted when the block succeeds."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{folder}.used")):  # experiments may train the same at the same time
        yield folder
        remove(folder)


class Checkpoint:
    """A folder with one file: the last finished epoch of a training.

    It holds every variable of network and optimizer, so also the moments and the states of random layers, and the
    progress. It is written whole; a kill while it is written leaves the epoch before.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "last.npz"

    def save(self, trainer: "keras.Model", progress: Progress) -> None:
        """Write the state of `trainer`, a compiled model, and the progress."""
        arrays = {f"state{number:05}": value for number, value in enumerate(_state(trainer))}
        arrays |= {f"best{number:05}": value for number, value in enumerate(progress.best_weights)}
        facts = json.dumps({"rows": progress.rows, "best_epoch": progress.best_epoch})
        with replacing(self.file) as unfinished, unfinished.open("wb") as file:
            np.savez(file, facts=np.array(facts), **arrays)  # type: ignore[arg-type]

    def restore(self, trainer: "keras.Model", progress: Progress, phase: int) -> None:
        """Bring progress to what was saved, if anything was, and `trainer` too when it was saved in this phase."""
        if not self.file.exists():
            return
        with np.load(self.file) as saved:
            facts: dict[str, Any] = json.loads(str(saved["facts"]))
            progress.rows, progress.best_epoch = facts["rows"], facts["best_epoch"]
            names = sorted(saved.files)
            progress.best_weights = [saved[name] for name in names if name.startswith("best")]
            if progress.rows[-1]["phase"] == phase:
                states = [saved[name] for name in names if name.startswith("state")]
                for variable, value in zip(_variables(trainer), states, strict=True):
                    variable.assign(value)


def _variables(trainer: "keras.Model") -> list[Any]:
    """Return weights, states of random layers, and what the optimizer remembers; not what counts within an epoch."""
    counting = {id(variable) for variable in trainer.metrics_variables}
    return [variable for variable in trainer.variables if id(variable) not in counting] + trainer.optimizer.variables


def _state(trainer: "keras.Model") -> list[np.ndarray]:
    return [np.asarray(variable) for variable in _variables(trainer)]
