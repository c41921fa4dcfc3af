"""The rules of `darkroom begin`: from facts to values of params.yaml, each with its reason; see docs/begin.md."""

from collections.abc import Callable
from functools import cache

from darkroom.begin.choice import Choice, Rule, as_overlay
from darkroom.begin.data_rules import balance, limits, shares, source
from darkroom.begin.facts import Facts
from darkroom.begin.machine import Machine
from darkroom.begin.network_rules import batch, hardware, mirror, network, resize, search, size
from darkroom.begin.plans import Case, plans
from darkroom.begin.time_rules import Timed, fit_epochs
from darkroom.params.load import Overlay, leaves
from darkroom.params.recipes import DEFAULT

DATA_RULES: tuple[Rule[Facts], ...] = (
    Rule(source, (("the path", "`ingest.source`", "named below `data/raw/`", "-"),)),
    Rule(
        shares,
        (
            (
                "number of pictures; given splits",
                "`split.validation` 15 %, or 1,000 pictures; `split.test` 20 %, or 2,000",
                "an accuracy of 90 % is then known to 1.9 and 1.3 points; a given split is used as it is",
                "-",
            ),
        ),
    ),
    Rule(
        balance,
        (
            (
                "largest class / smallest class",
                "from 5: `balance.method` class_weight",
                "else a rare class is passed over",
                BALANCE,
            ),
        ),
    ),
    Rule(
        limits,
        (
            (
                "largest class / smallest class; sides",
                "above 50, below 8 pixels: the limits of `validate`",
                "`validate` would stop at its defaults, with nothing wrong",
                "-",
            ),
        ),
    ),
)
NETWORK_RULES: tuple[Rule[Case], ...] = (
    Rule(
        hardware,
        (
            (
                "cores, processor, GPUs",
                "`train.threads` one a core, `train.precision` auto, `train.devices` 1",
                "bfloat16 only where it is quick",
                "not measured",
            ),
        ),
    ),
    Rule(
        search,
        (("-", "`tune.enabled` false", "a part of the time for each trial is too little for any", "not measured"),),
    ),
    Rule(network, PLANS),
    Rule(
        size,
        (("shorter sides", "`image.size`: no larger than half of the pictures are", "there is no more to see", SIZES),),
    ),
    Rule(resize, (("-", "`image.resize` squash", "nothing at the border is lost", RESIZE),)),
    Rule(
        mirror,
        (
            (
                "share of grey pictures",
                "from 90 %: `augment.horizontal_flip` false",
                "print, writing and scans have a left and a right",
                MIRROR,
            ),
        ),
    ),
    Rule(
        batch,
        (
            (
                "number of pictures, memory",
                "`train.batch_size`: the recipe's, but 15 to 100 steps an epoch, in 40 % of the memory",
                "too few steps learn little",
                "not measured",
            ),
        ),
    ),
)
TIME_RULES: tuple[Rule[Case], ...] = ()
RULES = (*DATA_RULES, *NETWORK_RULES, *TIME_RULES)


def choose_data(facts: Facts) -> list[Choice]:
    """Return what the data alone decides."""
    return [choice for rule in DATA_RULES for choice in rule.decide(facts)]


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
    chosen = {choice.key: choice for rule in NETWORK_RULES for choice in rule.decide(case)}
    speed = case.machine.measure(as_overlay(chosen.values()))
    settings = leaves(case.recipes(DEFAULT)) | {key: choice.value for key, choice in chosen.items()}
    return list(chosen.values()), fit_epochs(case, speed, settings)
