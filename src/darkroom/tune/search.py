"""The search for hyper-parameters: seeded, resumable after a kill, the same result either way."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from darkroom.core.errors import UserError
from darkroom.core.files import remove
from darkroom.execution.tasks import Task, side_by_side
from darkroom.params.declared import DeclaredParams
from darkroom.tune.attempts import Trainer
from darkroom.tune.budget import Budget, count_trained
from darkroom.tune.pruning import behind, rungs_of_batch
from darkroom.tune.sampling import combinations, draw
from darkroom.tune.space import trial_params
from darkroom.tune.store import TrialStore
from darkroom.tune.trial import Drawn, Trial
from darkroom.tune.watching import checkpoint_folder, gone_on, refused, train_trial

logger = logging.getLogger(__name__)
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
        self.running: dict[int, Drawn] = {}  # begun, those that wait too
        self.waiting: dict[int, Trial] = {}  # for their batch, at a rung
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
                    self._take(trial)

    def report_end(self) -> None:
        """Say why fewer combinations were tried than `tune.trials` allows."""
        missing = self.budget.trials_left(self.trials) if self.tune.trials else 0
        if missing and not self.budget.time_is_up():
            logger.info("the search ends: it has found no more combinations to try")

    def _batches(self) -> "Iterator[list[Task[Trial | None]]]":
        """Yield the trainings of each batch, drawn from the trials of those before it.

        They go as far as the first rung; when all are there, those that are not behind go to the next; then to the end.
        """
        rungs = rungs_of_batch(self.tune)
        for start in count(0, self.tune.batch):
            if not self.budget.allows(start, self.trials):
                return
            numbers = [n for n in range(start, start + self.tune.batch) if self.budget.has_number(n)]
            earlier = [trial for trial in self.trials if trial.number < start]
            together = [] if all(number in self.ended for number in numbers) else self._draw(earlier, numbers)
            for until in [*rungs, math.inf] if rungs else [None]:
                # again where one was refused in training and so leaves its place: as a search that resumes would
                while tasks := [task for drawn in together if (task := self._task(drawn, earlier, until))]:
                    yield tasks
                self._end_those_behind(earlier, numbers, until)
            self.running.clear()

    def _end_those_behind(self, earlier: Sequence[Trial], numbers: Sequence[int], rung: float | None) -> None:
        """Prune the waiting trials of a batch that are behind after a rung."""
        if not isinstance(rung, int) or not self.waiting:
            return
        known = {**self.ended, **self.waiting}
        curves = {number: known[number].curve for number in numbers if number in known}
        for number in behind(self.tune, earlier, curves, list(self.waiting), rung):
            reason = f"behind other trials after epoch {rung}"
            self._keep(replace(self.waiting[number], state="pruned", reason=reason))

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

    def _task(self, drawn: Drawn, earlier: Sequence[Trial], until: float | None = None) -> "Task[Trial | None] | None":
        """Return the training of a combination, as far as the epoch `until`.

        None when it has ended or is that far, has no place in the budget or is refused.
        """
        number = drawn.number
        waiting = self.waiting.get(number)
        if number in self.ended or (waiting and len(waiting.curve) == until):
            return None
        if not waiting and (self.budget.trials_left(self.trials) <= len(self.running) or self.budget.time_is_up()):
            return None
        try:
            candidate = trial_params(self.params, drawn.overlay)
        except UserError as error:
            self._keep(refused(drawn, error))
            return None
        self.running[number] = drawn
        return lambda slot: self._train(drawn, candidate, earlier, until, slot)

    def _train(
        self, drawn: Drawn, candidate: DeclaredParams, earlier: Sequence[Trial], until: float | None, slot: int
    ) -> Trial | None:
        """Train a combination, in a thread; None when the time is up before it begins."""
        before = self.waiting.get(drawn.number)
        if not before and self.budget.time_is_up():
            return None
        trial = train_trial(self.trainer, candidate, drawn, earlier, until, slot)
        return gone_on(before, trial) if before else trial

    def _take(self, trial: Trial) -> None:
        """Take a trial that waits or has ended."""
        if trial.state == "waiting":
            self.waiting[trial.number] = trial
        else:
            self._keep(trial)

    def _keep(self, trial: Trial) -> None:
        self.store.add(trial)
        self.ended[trial.number] = trial
        for unfinished in (self.running, self.waiting):
            unfinished.pop(trial.number, None)
        if folder := checkpoint_folder(self.trainer, trial.number):
            remove(folder)
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
