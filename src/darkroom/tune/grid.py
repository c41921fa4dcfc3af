"""All combinations of a space of choices, integers and steps."""

import random
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError
from darkroom.params.search import Choices, Range, Tune
from darkroom.params.space import exact, in_order, is_whole
from darkroom.tune.space import distribution, drawn_from, suggest

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LARGEST = 10_000  # combinations
Values = dict[str, Any]  # by "section.key", as Optuna draws them


def grid(tune: Tune, own: Values) -> list[Values]:
    """Return each combination but that of `own` once, in an order of chance that tune.seed decides.

    `own` is the parameters of params.yaml by "section.key". Raises UserError for a range without steps, or a grid of
    more than 10,000 combinations.
    """
    from optuna.trial import FixedTrial

    axes = {name: _axis(name, space) for name, space in in_order(tune)}
    if (size := prod(map(len, axes.values()))) > LARGEST:
        raise UserError(
            f"params.yaml: tune.space: a grid of {size} combinations; at most {LARGEST} are possible: "
            "give fewer choices or larger steps, or set tune.sampler to random"
        )
    found: dict[str, Values] = {}
    for values in product(*axes.values()):
        trial = FixedTrial(dict(zip(axes, values, strict=True)))
        suggest(trial, tune, own)
        found[repr(trial.params)] = trial.params  # without the keys that do not apply, many are the same
    found.pop(repr(drawn_from(tune, own)), None)
    combinations = list(found.values())
    random.Random(tune.seed).shuffle(combinations)
    return combinations


def _axis(name: str, space: Range | Choices) -> list[Any]:
    """Return all values that Optuna can draw for a key."""
    if isinstance(space, Range) and space.step is None and not is_whole(space):
        raise UserError(
            f"params.yaml: tune.space.{name}: a grid needs steps; give it a step or choices, "
            "or set tune.sampler to random"
        )
    return _values(distribution(space))


def _values(of: "BaseDistribution") -> list[Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(of, CategoricalDistribution):
        return list(of.choices)
    if isinstance(of, IntDistribution):
        return list(range(of.low, of.high + 1, of.step))
    assert isinstance(of, FloatDistribution) and of.step is not None  # _axis has seen to it
    low, step = exact(of.low), exact(of.step)
    return [float(low + place * step) for place in range(int((exact(of.high) - low) / step) + 1)]
