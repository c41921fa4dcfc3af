"""Combinations drawn for a search whose trials a formula scores."""

import json
import math
from collections.abc import Callable
from typing import Any

from darkroom.params.search import Tune
from darkroom.tune.sampling import draw
from darkroom.tune.trial import Drawn, Trial

STEPS = {"low": 0.1, "high": 0.5, "step": 0.1}
MIXED = {
    "train": {
        "learning_rate": {"choices": [0.001, 0.01, 0.1]},
        "optimizer": {"choices": ["adam", "sgd"]},
        "momentum": {"low": 0.5, "high": 0.9, "step": 0.2, "when": {"train.optimizer": ["sgd"]}},
    },
    "model": {"dropout": STEPS, "filters": {"choices": [[4], [4, 8]]}, "units": {"low": 2, "high": 5}},
}
OWN = {
    "train.learning_rate": 0.001,
    "train.optimizer": "adam",
    "train.momentum": 0.9,
    "model.dropout": 0.2,
    "model.filters": [4],
    "model.units": 3,
}
LINE = {"train": {"x": {"low": 0.0, "high": 1.0}}}
PLANE = {"train": {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}}
Score = Callable[[dict[str, Any]], float]


def settings(space: dict[str, Any] = MIXED, **values: Any) -> Tune:
    """Return the section tune with this space and these values."""
    fixed: dict[str, Any] = {"enabled": True, "trials": 9, "minutes": 0, "epochs": 9, "metric": "log_loss", "costs": []}
    more = {"tolerance": 0, "pruner": "none", "batch": 1, "finalists": 0, "fresh_seeds": 1, "seed": 0}
    return Tune(**{**fixed, **more, "space": space, "sampler": "tpe", **values})


def flat(drawn: Drawn) -> dict[str, Any]:
    """Return the values of a combination by section.key."""
    return {f"{part}.{key}": value for part, keys in drawn.overlay.items() for key, value in keys.items()}


def cost(values: dict[str, float]) -> float:
    return abs(math.log10(values["train.learning_rate"]) + 2) + values["model.dropout"] + values["model.units"] / 9


def completed(drawn: Drawn, score: Score = cost) -> Trial:
    """Return the trial as it ends, its notes as a file gives them back."""
    drawn = Drawn(drawn.number, drawn.overlay, drawn.values, drawn.distributions, json.loads(json.dumps(drawn.notes)))
    return Trial(drawn, "complete", {"log_loss": score(flat(drawn)), "parameters": 1.0 + drawn.number % 3})


def searched(tune: Tune, count: int, own: dict[str, Any] = OWN, score: Score = cost) -> list[Trial]:
    """Return `count` trials, drawn one after the other."""
    trials: list[Trial] = []
    for number in range(count):
        trials += [completed(drawn, score) for drawn in draw(tune, own, trials, [number])]
    return trials
