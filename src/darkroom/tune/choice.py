"""Which trial is chosen: the best few are trained again with fresh seeds, and these scores alone decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.tune.trial import FreshRun, Trial


@dataclass(frozen=True)
class Choice:
    """The trial that was chosen: its number, its values as an overlay, tune.metric in the search and afresh.

    `fresh_score` is the mean over the fresh seeds, None without finalists. `fresh` has the scores of each finalist by
    its number, in the order of the seeds; [] where a training with a fresh seed gave no model.
    """

    number: int
    overlay: Overlay
    search_score: float
    fresh_score: float | None
    fresh: dict[int, list[float]]


@dataclass(frozen=True)
class Found:
    """All that a search found: trials by number, the trainings with fresh seeds, the choice.

    `repeatable`: whether the same search finds the same again; `obstacle` is the sentence that says why not.
    """

    trials: Sequence[Trial]
    fresh_runs: Sequence[FreshRun]
    choice: Choice
    tune: Tune
    repeatable: bool
    obstacle: str = ""
