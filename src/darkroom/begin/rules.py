"""The rules of `darkroom begin`: from facts to values of params.yaml, each with its reason; see begin/table.py."""

from collections.abc import Callable
from functools import cache

from darkroom.begin.choice import Choice, as_overlay
from darkroom.begin.data_rules import balance, limits, shares, source
from darkroom.begin.facts import Facts
from darkroom.begin.machine import Machine
from darkroom.begin.network_rules import batch, hardware, mirror, network, resize, search, size
from darkroom.begin.plans import Case, plans
from darkroom.begin.time_rules import Timed, fit_epochs
from darkroom.params.load import Overlay, leaves
from darkroom.params.recipes import DEFAULT

DATA_RULES = (source, shares, balance, limits)
NETWORK_RULES = (hardware, search, network, size, resize, mirror, batch)  # a later one overrules an earlier one


def choose_data(facts: Facts) -> list[Choice]:
    """Return what the data alone decides."""
    return [choice for rule in DATA_RULES for choice in rule(facts)]


def choose(facts: Facts, machine: Machine, minutes: float, recipes: Callable[[str], Overlay]) -> list[Choice]:
    """Return all values that `begin` sets: those of the best network that has its epochs in `minutes` of all stages.

    `recipes` returns what a recipe says of the network, by its name. `machine.measure` is called for each network
    that is considered; of several, a part.
    """
    found = list(plans(facts, machine))
    known = cache(lambda number: _follow(Case(facts, machine, minutes, found[number], recipes)))
    first, last = 0, len(found) - 1
    while first < last:  # the better a network, the fewer its epochs
        middle = (first + last) // 2
        enough = known(middle)[1].epochs >= found[middle].enough
        first, last = (first, middle) if enough else (middle + 1, last)
    chosen, timed = known(first)
    return list({choice.key: choice for choice in (*choose_data(facts), *chosen, *timed.choices)}.values())


def _follow(case: Case) -> tuple[list[Choice], Timed]:
    """Return what the rules choose for a plan, and what its time allows."""
    chosen = {choice.key: choice for rule in NETWORK_RULES for choice in rule(case)}
    speed = case.machine.measure(as_overlay(chosen.values()))
    settings = leaves(case.recipes(DEFAULT)) | {key: choice.value for key, choice in chosen.items()}
    return list(chosen.values()), fit_epochs(case, speed, settings)
