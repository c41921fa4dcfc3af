"""The space of a search: the order of drawing, and whether each key, value and condition is possible."""

from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.params.schema import Params
from darkroom.params.search import SEARCHED, Choices, Range, Tune

LENGTH = "tune.epochs is the length of a trial"
MACHINE = "it says how the machine is used"
NOT_SEARCHED = {
    "train.epochs": LENGTH,
    "train.small_epochs": LENGTH,
    "finetune.epochs": LENGTH,
    "train.seed": "a lucky seed is no better setting",
    "train.threads": MACHINE,
    "train.devices": MACHINE,
    "model.weights": "weights of a file fit one architecture only",
    "image.depth": "earlier stages read it too",
}
COMBINATIONS = 2000  # of values tried at most, to find one with which a value is possible
Space = dict[str, Range | Choices]  # by "section.key"
Values = dict[str, Any]  # by "section.key"
Errors = list[dict[str, Any]]


def in_order(tune: Tune) -> list[tuple[str, Range | Choices]]:
    """Return the searched keys as ("section.key", values), each after those that its `when` names.

    Raises graphlib's CycleError when there is no such order.
    """
    space: Space = {
        f"{section}.{key}": values
        for section, keys in sorted(tune.space.items())
        for key, values in sorted(keys.items())
    }
    before = {name: sorted(set(values.when) & set(space)) for name, values in space.items()}
    return [(name, space[name]) for name in TopologicalSorter(before).static_order()]


def inside(values: Range | Choices, value: Any) -> bool:
    """Tell whether a value of params.yaml is one that the search could draw."""
    if isinstance(values, Choices):
        return value in values.choices
    if isinstance(value, bool) or not isinstance(value, int | float) or not values.low <= value <= values.high:
        return False
    step = values.step or (1 if is_whole(values) else None)
    return step is None or (exact(value) - exact(values.low)) % exact(step) == 0


def is_whole(values: Range) -> bool:
    """Tell whether the numbers of a range are integers."""
    return all(isinstance(number, int) for number in (values.low, values.high, values.step or 1))


def exact(number: float) -> Decimal:
    """Return a number as it is written: steps of 0.1 lead to 0.3."""
    return Decimal(str(number))


def check_space(params: Params, file: str) -> None:
    """Raise UserError for the first key, value or condition of `tune.space` that cannot be."""
    if params.tune.enabled and not any(params.tune.space.values()):
        raise UserError(f"{file}: tune.space: has no key to search; add one, or set tune.enabled to false")
    try:
        space = dict(in_order(params.tune))
    except CycleError as error:
        circle = error.args[1]
        names = " -> ".join(circle)
        raise UserError(f"{file}: tune.space.{circle[0]}: when: {names} wait for each other") from None
    for name in space:
        problem = (
            _of_key(params, name)
            or _of_range(params, name, space[name])
            or _of_conditions(params, space, name)
            or _of_values(params, space, name)
        )
        if problem:
            raise UserError(f"{file}: tune.space.{name}: {problem}")


def _of_key(params: Params, name: str) -> str:
    """Say why a key cannot be searched."""
    section, key = name.split(".", 1)
    if name in NOT_SEARCHED:
        return f"cannot be searched ({NOT_SEARCHED[name]}); remove it"
    known = sorted(type(getattr(params, section)).model_fields, key=lambda one: f"{section}.{one}" in NOT_SEARCHED)
    if key in known:
        return ""
    elsewhere = [other for other in SEARCHED if key in type(getattr(params, other)).model_fields]
    return f"no such key in {section}" + (f"; did you mean {elsewhere[0]}.{key}?" if elsewhere else nearest(key, known))


def _of_range(params: Params, name: str, values: Range | Choices) -> str:
    """Say what is wrong with the numbers of a range."""
    section, key = name.split(".", 1)
    if isinstance(values, Choices) or values.step is not None:
        return ""
    kind = type(getattr(params, section)).model_fields[key].annotation
    if is_whole(values) and kind is float:
        return f"low and high are whole numbers, and so would be all between; write {float(values.low)}, or step: 1"
    if params.tune.sampler == "grid" and not is_whole(values):
        return "a grid needs steps; give it a step or choices, or set tune.sampler to random"
    return ""


def _of_conditions(params: Params, space: Space, name: str) -> str:
    """Say what is wrong with `when`: an unknown key, or a value that it never has."""
    current = {f"{section}.{key}": value for section in SEARCHED for key, value in getattr(params, section)}
    for other, wanted in space[name].when.items():
        if other not in current:
            return f"when: no such key: {other}{nearest(other, list(current))}"
        possible = [
            value for value in wanted if value == current[other] or (other in space and inside(space[other], value))
        ]
        if not wanted or len(possible) < len(wanted):
            reason = "nor does the search give it this value" if other in space else "and it is not searched"
            never = next((value for value in wanted if value not in possible), "one of no values")
            return f"when: {other} is never {never}: in params.yaml it is {current[other]}, {reason}"
    return ""


def _of_values(params: Params, space: Space, name: str) -> str:
    """Say which value is not possible, whatever the other searched keys are."""
    conditions = space[name].when
    for value in _some_of(space[name]):
        given = {other: wanted[0] for other, wanted in conditions.items()} | {name: value}
        error = _error(params, given)
        own = [problem for problem in error if _is_about(problem, name)]
        if own or (error and not _is_possible(params, space, name, given, error)):
            problem = (own or error)[0]["msg"].removeprefix("Value error, ")
            return f"{value!r} is not allowed for {name}: {problem[0].lower()}{problem[1:]}"
    return ""


def _is_possible(params: Params, space: Space, name: str, given: Values, error: Errors) -> bool:
    """Tell whether some values of the other searched keys go with those that are given, which alone lead to `error`.

    Tried are all combinations of those keys that change the error; more than can be tried count as possible.
    """
    others = {**{key: _some_of(values) for key, values in space.items()}, **space[name].when}
    matter = {
        key: values
        for key, values in others.items()
        if key != name and any(_error(params, {**given, key: value}) != error for value in values)
    }
    if prod(map(len, matter.values())) > COMBINATIONS:
        return True
    return any(
        not _error(params, {**given, **dict(zip(matter, drawn, strict=True))}) for drawn in product(*matter.values())
    )


def _error(params: Params, values: Values) -> Errors:
    """Return what pydantic says of `params` with other values of some keys; empty when they are possible."""
    raw = params.model_dump(exclude_unset=True)
    for name, value in values.items():
        section, key = name.split(".", 1)
        raw[section][key] = value
    try:
        Params.model_validate(raw)
    except ValidationError as error:
        return [{"loc": problem["loc"], "msg": problem["msg"]} for problem in error.errors()]
    return []


def _is_about(problem: dict[str, Any], name: str) -> bool:
    return ".".join(map(str, problem["loc"][:2])) == name


def _some_of(values: Range | Choices) -> list[Any]:
    """Return all choices; or the ends of a range and a value between them: the second, which may be an even kernel."""
    if isinstance(values, Choices):
        return values.choices
    whole = isinstance(values.low, int) and isinstance(values.high, int)
    between = values.low + (values.step or 1) if whole or values.step else (values.low + values.high) / 2
    return [values.low, values.high, min(between, values.high)]
