"""The search for hyper-parameters: seeded, resumable after a kill, the same result either way."""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from darkroom.core.errors import UserError
from darkroom.execution.tasks import Task, side_by_side
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Row
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer, attempt
from darkroom.tune.budget import Budget, count_trained
from darkroom.tune.pruning import Pruning
from darkroom.tune.sampling import combinations, draw
from darkroom.tune.space import trial_params
from darkroom.tune.store import TrialStore
from darkroom.tune.trial import Drawn, Trial

logger = logging.getLogger(__name__)
USAGE = 2  # status of a UserError about parameters
OnTrial = Callable[[Trial], None]


def search(params: DeclaredParams, trainer: Trainer, store: TrialStore, on_trial: OnTrial) -> list[Trial]:
    """Try combinations until the budget or the grid ends; return the trials by number.

    Each trial is kept in `store` as it ends, and `on_trial` is called, in this thread; a search that was stopped
    resumes after those. With tune.batch of 1 or more, combinations are drawn in batches, from the trials of earlier
    batches alone: stopped or not, the same ones come. Raises UserError when no combination gives a model; then nothing
    is kept, as memory may have been short.
    """
    searching = _Searching(params, trainer, store, on_trial)
    searching.run()
    searching.report_end()
    trials = searching.budget.first(store.trials())
    if not any(trial.state == "complete" for trial in trials):
        store.forget()
        raise UserError(
            f"none of the {len(trials)} trials gave a model (the first: {trials[0].reason if trials else 'no time'}); "
            "change tune.space in params.yaml, or free memory and start again",
            1,
        )
    return trials


class _Searching:
    """A search while it runs: the trials that ended, those that run, and the budget."""

    def __init__(self, params: DeclaredParams, trainer: Trainer, store: TrialStore, on_trial: OnTrial) -> None:
        self.params, self.tune, self.trainer = params, params.tune, trainer
        self.store, self.on_trial = store, on_trial
        self.ended = {trial.number: trial for trial in store.trials()}
        self.running: dict[int, Drawn] = {}
        self.own = params.flat()
        self.budget = Budget(self.tune, combinations(self.tune, self.own), self.trials, trainer.slots)

    @property
    def trials(self) -> list[Trial]:
        """The trials that ended, by number."""
        return [self.ended[number] for number in sorted(self.ended)]

    def run(self) -> None:
        """Run what the budget allows and the store lacks."""
        if self.ended:
            more = self.budget.allows(self._first_missing(), self.trials)
            logger.info("resumes after trial %d" if more else "all trials to %d are known from before", max(self.ended))
        for tasks in self._batches() if self.tune.batch else self._rounds():
            for trial in side_by_side(tasks, self.trainer.slots):
                if trial:  # else the time was up
                    self._keep(trial)

    def report_end(self) -> None:
        """Say why fewer combinations were tried than `tune.trials` allows."""
        missing = self.budget.trials_left(self.trials) if self.tune.trials else 0
        if missing and not self.budget.time_is_up():
            logger.info("the search ends: it has found no more combinations to try")

    def _batches(self) -> "Iterator[list[Task[Trial | None]]]":
        """Yield the trials to run of each batch, drawn from the trials of those before it."""
        for start in count(0, self.tune.batch):
            if not self.budget.allows(start, self.trials):
                return
            numbers = [n for n in range(start, start + self.tune.batch) if self.budget.has_number(n)]
            earlier = [trial for trial in self.trials if trial.number < start]
            # again where one was refused in training and so leaves its place: as a search that resumes would
            while not all(number in self.ended for number in numbers) and not self.budget.time_is_up():
                tasks = [task for drawn in self._draw(earlier, numbers) if (task := self._task(drawn, earlier))]
                if not tasks:
                    break
                yield tasks
                self.running.clear()

    def _rounds(self) -> "Iterator[Iterator[Task[Trial | None]]]":
        """Yield what draws trials one by one; again where one of the last was refused, which leaves its place free."""
        while self.budget.allows(self._first_missing(), self.trials):
            yield self._one_by_one()

    def _one_by_one(self) -> "Iterator[Task[Trial | None]]":
        """Yield each trial when there is room for it, drawn from all that have ended by then."""
        while self.budget.allows(number := self._first_missing(), trials := self.trials, len(self.running)):
            for drawn in self._draw(trials, [number]):
                if task := self._task(drawn, trials):
                    yield task

    def _first_missing(self) -> int:
        return next(number for number in count() if number not in self.ended and number not in self.running)

    def _draw(self, trials: Sequence[Trial], numbers: Sequence[int]) -> list[Drawn]:
        return draw(self.tune, self.own, trials, numbers, list(self.running.values()))

    def _task(self, drawn: Drawn, earlier: Sequence[Trial]) -> "Task[Trial | None] | None":
        """Return the training of a combination; None when it has ended, has no place in the budget or is refused."""
        if drawn.number in self.ended or self.budget.trials_left(self.trials) <= len(self.running):
            return None
        try:
            candidate = trial_params(self.params, drawn.overlay)
        except UserError as error:
            self._keep(Trial(drawn, "refused", reason=_of_a_trial(error)))
            return None
        self.running[drawn.number] = drawn
        return lambda slot: self._train(drawn, candidate, earlier, slot)

    def _train(self, drawn: Drawn, candidate: DeclaredParams, earlier: Sequence[Trial], slot: int) -> Trial | None:
        """Train a combination, in a thread, until its end or until it falls behind the earlier trials."""
        if self.budget.time_is_up():
            return None
        attempts: list[_Watched] = []

        def train() -> Measured:
            attempts.append(_Watched(Pruning(self.tune, earlier, drawn.number)))
            gpus = slot if self.trainer.slots > 1 else None
            return self.trainer.train(candidate, attempts[-1].on_epoch, gpus)

        try:
            outcome = attempt(train, (self.tune.metric, *self.tune.costs))
        except UserError as error:  # what only the network or the data shows: a layer that is not there
            if drawn.number == 0 or error.status != USAGE:
                raise  # params.yaml itself, or the machine, which other values need not mend
            return Trial(drawn, "refused", reason=_of_a_trial(error))
        last = attempts[-1]
        ended: dict[str, Any] = {"curve": last.curve, "seconds": outcome.seconds, "rungs": last.pruning.rungs}
        if last.stopped_at and not outcome.reason:
            return Trial(drawn, "pruned", reason=f"behind earlier trials after epoch {last.stopped_at}", **ended)
        if outcome.reason:
            return Trial(drawn, "failed", reason=outcome.reason, **ended)
        return Trial(drawn, "complete", outcome.scores, **ended)

    def _keep(self, trial: Trial) -> None:
        self.store.add(trial)
        self.ended[trial.number] = trial
        self.running.pop(trial.number, None)
        self._log(trial)
        self.on_trial(trial)

    def _log(self, trial: Trial) -> None:
        trained, metric = count_trained(self.trials), self.tune.metric
        name = (
            f"trial {trial.number} ({trained} of {self.tune.trials})" if self.tune.trials else f"trial {trial.number}"
        )
        if trial.state == "complete":
            logger.info("%s: validation %s %.4f", name, metric, trial.scores[metric])
        else:
            level = logging.WARNING if trial.state == "failed" else logging.INFO
            logger.log(level, "%s %s: %s", name, trial.state, trial.reason)


def _of_a_trial(error: UserError) -> str:
    """Return the message without the file, which has other values."""
    return str(error).removeprefix("params.yaml: ")


class _Watched:
    """One training as the pruner sees it."""

    def __init__(self, pruning: Pruning) -> None:
        self.pruning, self.stopped_at = pruning, 0
        self.curve: list[Row] = []

    def on_epoch(self, epoch: int, row: Row) -> bool:
        """Tell whether the training shall stop."""
        self.curve.append(row)
        loss = row["validation_log_loss"]
        if loss == loss and self.pruning.stops(epoch, loss):  # a loss that is not a number ends it anyway
            self.stopped_at = epoch
        return bool(self.stopped_at)
