"""The numbers of a search that its pictures are drawn from, on the page and as PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from darkroom.core.metrics import METRICS
from darkroom.params.load import leaves
from darkroom.params.search import Range, Tune
from darkroom.tune.choice import Found, pareto_front
from darkroom.tune.trial import Trial

LOSS = "validation_log_loss"
FARTHEST = 3  # times the distance from the best score to the median: worse scores are drawn at the edge


@dataclass(frozen=True)
class KeyValues:
    """The values of a searched key in some trials.

    `numbers` (n,) float are the values themselves or, where `choices` has the texts of all that occur, their places in
    it; NaN: the trial did not have the key.
    """

    name: str
    numbers: np.ndarray
    choices: tuple[str, ...] = ()
    log: bool = False

    @property
    def texts(self) -> list[str]:
        """The value of each trial as text; empty for a trial without the key."""
        return ["" if np.isnan(value) else self._text(value) for value in self.numbers.tolist()]

    def _text(self, value: float) -> str:
        return self.choices[int(value)] if self.choices else f"{value:.4g}"


@dataclass(frozen=True)
class Curve:
    """The log loss on validation after each epoch of a trial, (n,) float."""

    number: int
    state: str
    losses: np.ndarray

    @property
    def epochs(self) -> np.ndarray:
        """The epochs, from 1, (n,) float."""
        return np.arange(1, len(self.losses) + 1, dtype=float)


@dataclass(frozen=True)
class Study:
    """Trials as arrays; `complete` are those with a score, in the order of their numbers."""

    found: Found

    @property
    def tune(self) -> Tune:
        """The parameters of the search."""
        return self.found.tune

    @property
    def metric(self) -> str:
        """The name of the metric within a sentence."""
        return METRICS[self.tune.metric].name

    @property
    def lower_is_better(self) -> bool:
        """Whether a low score is a good one."""
        return METRICS[self.tune.metric].lower_is_better

    @cached_property
    def complete(self) -> list[Trial]:
        """The trials that have a score."""
        return [trial for trial in self.found.trials if trial.state == "complete"]

    @cached_property
    def numbers(self) -> np.ndarray:
        """Numbers of the complete trials, (n,) int."""
        return np.array([trial.number for trial in self.complete], int)

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of the complete trials, (n,) float."""
        return self.measured(self.tune.metric)

    def measured(self, name: str) -> np.ndarray:
        """Return a score or cost of the complete trials, (n,) float."""
        return np.array([trial.scores[name] for trial in self.complete], float)

    @property
    def chosen(self) -> Trial:
        """The trial that was chosen."""
        return next(trial for trial in self.found.trials if trial.number == self.found.choice.number)

    @cached_property
    def is_chosen(self) -> np.ndarray:
        """Whether each complete trial is the chosen one, (n,) bool; none is where it was pruned in the search."""
        chosen: np.ndarray = self.numbers == self.found.choice.number
        return chosen

    def of_state(self, state: str) -> list[Trial]:
        """Return the trials that ended so."""
        return [trial for trial in self.found.trials if trial.state == state]

    @cached_property
    def best_so_far(self) -> np.ndarray:
        """The best score up to each complete trial, (n,) float."""
        best: np.ndarray = (np.minimum if self.lower_is_better else np.maximum).accumulate(self.scores)
        return best

    @cached_property
    def shown_scores(self) -> np.ndarray:
        """Scores that an axis has to cover: all but the few that are far worse than most, (m,) float."""
        sign = 1 if self.lower_is_better else -1
        return sign * _usual(sign * self.scores)

    @cached_property
    def curves(self) -> list[Curve]:
        """The learning curves of all trials that have one."""
        return [
            Curve(trial.number, trial.state, np.array([row[LOSS] for row in trial.curve], float))
            for trial in self.found.trials
            if trial.curve
        ]

    @cached_property
    def shown_losses(self) -> np.ndarray:
        """Losses of the curves that an axis has to cover, (m,) float."""
        return _usual(np.concatenate([curve.losses for curve in self.curves]))

    @cached_property
    def keys(self) -> list[str]:
        """The searched keys as "section.key"."""
        return [f"{section}.{key}" for section, keys in sorted(self.tune.space.items()) for key in sorted(keys)]

    def values(self, name: str, trials: Sequence[Trial]) -> KeyValues:
        """Return the values of a key in some trials."""
        section, key = name.split(".", 1)
        space = self.tune.space[section][key]  # type: ignore[index]  # a name of `keys`
        own = [trial.drawn.overlay.get(section, {}) for trial in trials]
        if isinstance(space, Range) and all(_is_number(values.get(key, 0)) for values in own):
            return KeyValues(name, np.array([values.get(key, np.nan) for values in own], float), (), space.log)
        texts = [value_text(values[key]) if key in values else None for values in own]
        listed = [] if isinstance(space, Range) else [value_text(choice) for choice in space.choices]
        choices = tuple(dict.fromkeys([*listed, *(text for text in texts if text is not None)]))
        places = [np.nan if text is None else choices.index(text) for text in texts]
        return KeyValues(name, np.array(places, float), choices)

    @cached_property
    def slices(self) -> list[KeyValues]:
        """The keys that were varied among the complete trials."""
        values = [self.values(name, self.complete) for name in self.keys]
        return [one for one in values if len(set(one.numbers[np.isfinite(one.numbers)].tolist())) > 1]

    @cached_property
    def finalists(self) -> list[int]:
        """The numbers of the trials with fresh scores, the best mean first, those that failed last."""
        sign, fresh = 1 if self.lower_is_better else -1, self.found.choice.fresh
        return sorted(fresh, key=lambda one: (not fresh[one], sign * float(np.mean(fresh[one] or 0)), one))

    @cached_property
    def front(self) -> np.ndarray:
        """Positions of the complete trials that no other one beats in the metric and all costs, (m,) int."""
        best = {trial.number for trial in pareto_front(self.complete, self.tune)}
        return np.flatnonzero([trial.number in best for trial in self.complete])


def _usual(worse: np.ndarray) -> np.ndarray:
    """Return the numbers, lower being better, but for those that would squeeze all others to one end of an axis."""
    known = worse[np.isfinite(worse)]
    best = known.min(initial=np.inf)
    usual: np.ndarray = known[known <= best + FARTHEST * (np.median(known) - best)] if len(known) else known
    return usual


def value_text(value: Any) -> str:
    """Return a value of params.yaml in few characters: a list without brackets, a number with four digits."""
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def overlay_texts(trial: Trial) -> dict[str, str]:
    """Return the values of a trial as text by "section.key"."""
    return {name: value_text(value) for name, value in leaves(trial.drawn.overlay).items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
