"""How long a search goes on."""

import math
import time
from collections.abc import Sequence

from darkroom.params.search import Tune
from darkroom.tune.trial import Trial

DRAWS = 10  # for each trial: combinations that are refused cost nothing, but might be all there are


class Budget:
    """What `tune.trials`, `tune.minutes` and the space still allow; refused combinations are no trials.

    `combinations` is the size of the space, None where it has no end. The time that earlier processes took counts: the
    seconds of their trials, of which `slots` ran side by side.
    """

    def __init__(self, tune: Tune, combinations: int | None, trials: Sequence[Trial], slots: int) -> None:
        self._tune, self._combinations = tune, math.inf if combinations is None else combinations
        self._begin = time.monotonic() - sum(trial.seconds for trial in trials) / slots

    def trials_left(self, trials: Sequence[Trial]) -> float:
        """Return how many more trials may be trained, infinity without a limit."""
        return (self._tune.trials or math.inf) - count_trained(trials)

    def time_is_up(self) -> bool:
        """Tell whether no new trial may begin."""
        return bool(self._tune.minutes) and time.monotonic() - self._begin >= 60 * self._tune.minutes

    def has_number(self, number: int) -> bool:
        """Tell whether the space has a combination of this number."""
        return number < self._combinations

    def allows(self, number: int, trials: Sequence[Trial], running: int = 0) -> bool:
        """Tell whether a combination of this number may be drawn while others run."""
        most = DRAWS * (self._tune.trials or max(count_trained(trials), DRAWS))
        enough = not self.has_number(number) or number >= most or self.trials_left(trials) <= running
        return not enough and not self.time_is_up()

    def first(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return those within `tune.trials`, by number, when an earlier search was allowed more."""
        if not self._tune.trials:
            return list(trials)
        return [trial for place, trial in enumerate(trials) if count_trained(trials[:place]) < self._tune.trials]


def count_trained(trials: Sequence[Trial]) -> int:
    """Return the number of trials that were not refused."""
    return sum(trial.state != "refused" for trial in trials)
