"""The training of one trial, watched by its pruner: as far as it goes, and how it ended."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Row
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Outcome, Trainer, attempt
from darkroom.tune.pruning import Pruning
from darkroom.tune.trial import Drawn, Trial

USAGE = 2  # status of a UserError about parameters


def train_trial(
    trainer: Trainer, candidate: DeclaredParams, drawn: Drawn, earlier: Sequence[Trial], until: float | None, slot: int
) -> Trial:
    """Train a combination to its end, or until it falls behind the earlier trials.

    With `until`, an epoch or infinity, no pruner is asked: after that epoch the trial is waiting, and another call goes
    on from its checkpoint. Raises UserError that params.yaml itself, or the machine, is at fault for.
    """
    tune, attempts = candidate.tune, list[_Watched]()
    gpus = slot if trainer.slots > 1 else None
    checkpoint = None if until is None else checkpoint_folder(trainer, drawn.number)

    def train() -> Measured:
        attempts.append(_Watched(Pruning(tune, earlier, drawn.number), until))
        return trainer.train(candidate, attempts[-1].on_epoch, gpus, checkpoint)

    try:
        outcome = attempt(train, (tune.metric, *tune.costs))
    except UserError as error:  # what only the network or the data shows: a layer that is not there
        if drawn.number == 0 or error.status != USAGE:
            raise  # params.yaml itself, or the machine, which other values need not mend
        return refused(drawn, error)
    return _ended(drawn, attempts[-1], outcome)


def _ended(drawn: Drawn, watched: "_Watched", outcome: Outcome) -> Trial:
    """Return the trial as far as it came."""
    known: dict[str, Any] = {"curve": watched.curve, "seconds": outcome.seconds, "rungs": watched.pruning.rungs}
    if watched.stopped_at and watched.until:
        return Trial(drawn, "waiting", **known)
    if watched.stopped_at and not outcome.reason:
        return Trial(drawn, "pruned", reason=f"behind earlier trials after epoch {watched.stopped_at}", **known)
    if outcome.reason:
        return Trial(drawn, "failed", reason=outcome.reason, **known)
    return Trial(drawn, "complete", outcome.scores, **known)


def gone_on(before: Trial, trial: Trial) -> Trial:
    """Return a trial that went on after it had waited; one that failed at once keeps what it had reached."""
    longest = max(trial, before, key=lambda one: len(one.curve))
    seconds = before.seconds + trial.seconds
    return replace(trial, seconds=seconds, curve=longest.curve, rungs=longest.rungs)


def refused(drawn: Drawn, error: UserError) -> Trial:
    """Return the trial of a combination that is refused; its reason leaves out the file, which has other values."""
    return Trial(drawn, "refused", reason=str(error).removeprefix("params.yaml: "))


def checkpoint_folder(trainer: Trainer, number: int) -> Path | None:
    """Return the folder of a trial that may wait at a rung; None where those begin anew."""
    return trainer.checkpoints / f"trial{number}" if trainer.checkpoints else None


class _Watched:
    """One training as the pruner sees it."""

    def __init__(self, pruning: Pruning, until: float | None) -> None:
        self.pruning, self.until, self.stopped_at = pruning, until, 0
        self.curve: list[Row] = []

    def on_epoch(self, epoch: int, row: Row) -> bool:
        """Tell whether the training shall stop."""
        if self.stopped_at:  # its checkpoint has later epochs
            return True
        self.curve.append(row)
        loss = row["validation_log_loss"]
        behind = not math.isnan(loss) and self.pruning.stops(epoch, loss)  # a loss that is none ends it anyway
        if epoch == self.until if self.until else behind:
            self.stopped_at = epoch
        return bool(self.stopped_at)
