"""What is known of one trial of a search."""

from dataclasses import dataclass, field
from typing import Any, Literal

from darkroom.params.load import Overlay
from darkroom.train.checkpoint import Row

State = Literal["complete", "pruned", "failed", "refused", "waiting"]  # the last: at a rung, for its batch


@dataclass(frozen=True)
class Drawn:
    """A combination to try: its number from 0, and its values as an overlay of the parameters.

    `values` and `distributions` are what Optuna drew, by "section.key"; they are empty when those of params.yaml lie
    outside the space. `notes` are Optuna's system attributes of the trial, which some samplers read again.
    """

    number: int
    overlay: Overlay
    values: dict[str, Any] = field(default_factory=dict)
    distributions: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A trial that ended.

    `scores` has the metrics on validation and the costs of the network; it is empty unless the trial is complete.
    `curve` has a row for each epoch, with validation_log_loss among others. `reason` says why there is no score.
    `rungs` is what the pruner noted.
    """

    drawn: Drawn
    state: State
    scores: dict[str, float] = field(default_factory=dict)
    curve: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""
    rungs: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The number of the trial, from 0 in the order of drawing."""
        return self.drawn.number


@dataclass(frozen=True)
class FreshRun:
    """A setting trained again with a seed that the search has not used: the trial's number, the seed, the scores."""

    number: int
    seed: int
    scores: dict[str, float]
    seconds: float
