"""The rules of `darkroom begin`: from facts to values of params.yaml, each with its reason; docs/begin.md has them."""

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

Row = tuple[str, str, str, str]  # fact, choice, why, gain as measured

ROWS: tuple[Row, ...] = (
    ("the path; the columns of a table", "`ingest.source`, `ingest.columns`", "named below `data/raw/`", "-"),
    (
        "another source than before, of which a model was packaged",
        "`package.name`, made of the source's name",
        "models of other pictures have a champion of their own",
        "-",
    ),
    (
        "number of pictures; given splits",
        "`split.validation` 15 %, or 1,000 pictures; `split.test` 20 %, or 2,000",
        "an accuracy of 90 % is then known to 1.9 and 1.3 points; a given split is used as it is",
        "-",
    ),
    (
        "largest class / smallest class",
        "from 3: `balance.method` class_weight",
        "the model would ignore a rare class",
        "ten animals: mean recall 87.3, not 85.7 %; accuracy 88.7, not 87.5 %",
    ),
    (
        "the same above 50; a shorter side below 8 pixels",
        "`validate.max_imbalance`, `validate.min_side`",
        "`validate` would stop at its defaults, with nothing wrong",
        "-",
    ),
    (
        "cores, processor",
        "`train.threads` one a core, `train.precision` auto, `train.devices` 1",
        "bfloat16 only where it is fast",
        "not measured",
    ),
    (
        "-",
        "`tune.enabled` false",
        "the recipes have been searched; a part of the time for each trial is too little",
        "not measured",
    ),
    (
        "half of the shorter sides from 100 pixels, weights available",
        "recipe `photos`: `model.architecture`, `model.width`, `model.weights`: EfficientNetV2B0, MobileNetV2 or a "
        "MobileNet of width 0.25, the first that the time allows",
        "ImageNet's features need few pictures",
        "ten animals: 93.5 % (frozen MobileNet of width 0.25), 55.3 % from scratch",
    ),
    (
        "from 48 pixels, or no weights available",
        "recipe `photos-scratch`",
        "a network for large pictures",
        "flowers: 80.2 % in 83 s of CPU, one run",
    ),
    (
        "from 24 pixels",
        "recipe `small-strong`; with less time `small`; with still less `model.filters` [32, 128, 128] and "
        "`model.average` flip",
        "few epochs of a small network teach more than fewer of a large one",
        "CIFAR-10: 92.2, 90.9 and 87.5 % in 63, 17 and 4 minutes of CPU / 2",
    ),
    ("below 24 pixels", "recipe `digits`", "little detail, a small network", "digits: 99.7 %"),
    (
        "weights; shorter sides; time",
        "`image.size`: with weights, the side that they were trained on, or less where the time is short; else no "
        "larger than half of the pictures are, but 16 at least; `train.small_size` in proportion",
        "ImageNet's features are of objects that fill 224 pixels, also where that enlarges; from scratch there is no "
        "more to see",
        "features of MobileNet at 224 and 128 pixels: ten animals 94.0, 87.5 %; flowers 84.6, 77.9 %; cats and dogs of "
        "100 pixels 92.9, 88.2 %",
    ),
    (
        "longer side / shorter side; share of grey pictures",
        "from 1.1 to 2, in colour: `image.resize` crop; else squash",
        "the object is in the middle, and undistorted",
        "cropped, squashed, padded: ten animals 90.1, 87.5, 85.6 %; flowers 78.5, 77.9, 74.4 %",
    ),
    (
        "share of grey pictures",
        "`augment.horizontal_flip` true; from 90 % false, and `model.average` none",
        "print, writing and scans have a left and a right, and are grey",
        "digits: 98.6 % as they are, 96.3 % with mirrored ones",
    ),
    (
        "number of pictures, memory",
        "`train.batch_size`: the recipe's, or less: of small data sets a hundredth of the pictures, from 16; up to 64 "
        "while an epoch has 15 steps; on a CPU what 40 % of the memory has room for",
        "an epoch of very few steps teaches little",
        "not measured",
    ),
    (
        "minutes, speed measured here",
        "`train.epochs`, `train.small_epochs`, `train.step_epochs` in proportion; `finetune.epochs` with weights",
        "all eight stages take the time that was asked for",
        "taken over expected: CIFAR-10 0.93, bears 1.03, cats and dogs 0.8 to 1.0",
    ),
    (
        "minutes, speed measured here",
        "`evaluate.robustness.pictures`: as many as a tenth of the time allows, 50 to 1,000, but no more than "
        "`test` has",
        "38 answers for each picture would take minutes from the training",
        "-",
    ),
)

DATA_RULES = (source, shares, balance, limits)
NETWORK_RULES = (search, network, hardware, size, resize, mirror, batch)  # a later one overrules an earlier one


def choose_data(facts: Facts) -> list[Choice]:
    """Return what the data alone decides."""
    return [choice for rule in DATA_RULES for choice in rule(facts)]


def choose(facts: Facts, machine: Machine, minutes: float, recipes: Callable[[str], Overlay]) -> list[Choice]:
    """Return all values that `begin` sets, for the best network that gets its epochs when all stages take `minutes`.

    `recipes` returns what a recipe, given by its name, says of the network. `machine.measure` is called for each
    network that is tried; of many, only some are.
    """
    found = list(plans(facts, machine))
    known = cache(lambda number: _apply_rules(Case(facts, machine, minutes, found[number], recipes)))
    first, last = 0, len(found) - 1
    while first < last:  # the better a network, the fewer its epochs
        middle = (first + last) // 2
        enough = known(middle)[1].epochs >= found[middle].min_epochs
        first, last = (first, middle) if enough else (middle + 1, last)
    chosen, timed = known(first)
    return list({choice.key: choice for choice in (*choose_data(facts), *chosen, *timed.choices)}.values())


def _apply_rules(case: Case) -> tuple[list[Choice], Timed]:
    """Return what the rules choose for a plan, and what its time allows."""
    chosen = {choice.key: choice for rule in NETWORK_RULES for choice in rule(case)}
    speed = case.machine.measure(as_overlay(chosen.values()))
    settings = leaves(case.recipes(DEFAULT)) | {key: choice.value for key, choice in chosen.items()}
    return list(chosen.values()), fit_epochs(case, speed, settings)
