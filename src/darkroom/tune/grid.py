"""All combinations of a space of choices, integers and steps."""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from darkroom.core.errors import UserError
from darkroom.params.search import Choices, Range, Tune
from darkroom.params.space import exact, in_order, is_whole
from darkroom.tune.space import distribution, drawn_from, holds

LARGEST = 10_000  # combinations
Values = dict[str, Any]  # by "section.key"
Axis = list[tuple[Any, Any]]  # what Optuna draws, and the value of the key


def grid(tune: Tune, own: Values) -> list[Values]:
    """Return each combination but that of `own` once, as Optuna draws it, in an order of chance that tune.seed decides.

    `own` is the parameters of params.yaml by "section.key". Raises UserError for a grid of more than 10,000
    combinations.
    """
    axes = [(name, space, _axis(space)) for name, space in in_order(tune)]
    combinations = list(islice(_crossed(axes, own), LARGEST + 1))
    if len(combinations) > LARGEST:
        raise UserError(
            f"params.yaml: tune.space: a grid of more than {LARGEST} combinations; "
            "give fewer choices or larger steps, or set tune.sampler to random"
        )
    first = drawn_from(tune, own)
    combinations = [values for values in combinations if values != first]
    random.Random(tune.seed).shuffle(combinations)
    return combinations


def _crossed(axes: list[tuple[str, Range | Choices, Axis]], current: Values) -> Iterator[Values]:
    """Yield each combination of the axes, without the keys that do not apply; `current` are values of other keys."""
    if not axes:
        yield {}
        return
    (name, space, axis), *others = axes
    if not holds(space, current):
        yield from _crossed(others, current)
        return
    for drawn, value in axis:
        yield from ({name: drawn, **rest} for rest in _crossed(others, {**current, name: value}))


def _axis(space: Range | Choices) -> Axis:
    """Return all values of a key; check_space has seen that a range has steps."""
    of: Any = distribution(space)
    if isinstance(space, Choices):
        return list(zip(of.choices, space.choices, strict=True))
    if is_whole(space):
        return [(value, value) for value in range(of.low, of.high + 1, of.step)]
    low, step = exact(of.low), exact(of.step)
    values = [float(low + place * step) for place in range(int((exact(of.high) - low) / step) + 1)]
    return [(value, value) for value in values]
