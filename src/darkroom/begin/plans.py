"""The networks to consider for a data set: the most accurate, which are also the slowest, come first."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.begin.facts import Facts
from darkroom.begin.machine import Machine
from darkroom.params.load import Overlay

PHOTOS, LARGE, SMALL = 100, 48, 24  # pixels of the typical shorter side from which each kind of network is chosen
# architecture, width, side in pixels: from the most accurate to the quickest, on ImageNet 78.7, 71.8, 68.8, 50.6 and
# 41.5 % at 0.7 G, 300 M, 154 M, 41 M and 14 M multiply-adds (keras.io and the papers of MobileNet and MobileNetV2)
BACKBONES = (
    ("EfficientNetV2B0", 1.0, 224),
    ("MobileNetV2", 1.0, 224),
    ("MobileNetV2", 1.0, 160),
    ("MobileNet", 0.25, 224),
    ("MobileNet", 0.25, 128),
)
SCRATCH = (128, 96, 64)  # pixels, from scratch
NARROW = [32, 128, 128]  # filters: a third of the multiply-adds of the recipe `small`
STEP, LEAST = 4, 16  # pixels: sides are multiples of it, and so many at least


@dataclass(frozen=True)
class Plan:
    """A recipe for pictures of `size` pixels, `why` it fits, and `changes` in it: "section.key" -> value, reason.

    It is taken when the time allows `min_epochs`; `max_epochs` is the largest number that has been tried.
    """

    recipe: str
    why: str
    size: int
    min_epochs: int
    max_epochs: int
    changes: Mapping[str, tuple[Any, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What the rules about a network know: the data, the machine, the plan, and what each recipe says."""

    facts: Facts
    machine: Machine
    minutes: float
    plan: Plan
    recipes: Callable[[str], Overlay]


def plans(facts: Facts, machine: Machine) -> Iterator[Plan]:
    """Yield the plans for pictures of this size; the last one is quick enough for any time."""
    side = facts.short_sides[1]
    typical = f"half of the pictures have a shorter side of {side} pixels or more"
    given = list(_with_weights(facts, machine)) if side >= PHOTOS else []
    if given:
        yield from given
    elif side >= LARGE:
        without = "; no weights are available" if side >= PHOTOS else ""
        yield from _from_scratch(side, typical + without)
    elif side >= SMALL:
        yield from _small(_multiple(side), typical)
    else:
        yield Plan("digits", f"{typical}: little detail, a small network", _multiple(side), 1, 60)


def _with_weights(facts: Facts, machine: Machine) -> Iterator[Plan]:
    why = f"shorter sides of {facts.short_sides[1]} pixels: photographs"
    for architecture, width, size in BACKBONES:
        if weights := machine.weights(architecture, width, size):
            changes = {
                "model.architecture": (architecture, "the most accurate backbone with weights that the time allows"),
                "model.width": (width, "the width these weights were trained with"),
                "model.weights": (weights, "a start from ImageNet needs few pictures"),
            }
            yield Plan("photos", why, size, 4, 20, changes)


def _from_scratch(side: int, why: str) -> Iterator[Plan]:
    for size in sorted({min(_multiple(side), most) for most in SCRATCH}, reverse=True):
        yield Plan("photos-scratch", why, size, 20, 100)


def _small(size: int, why: str) -> Iterator[Plan]:
    yield Plan("small-strong", f"{why}; the time is enough for the more accurate network", size, 28, 100)
    yield Plan("small", why, size, 8, 40)
    narrow = {
        "model.filters": (NARROW, "a third of the work: more epochs in the time"),
        "model.average": ("flip", "two views per answer instead of six: thousands of pictures are answered"),
    }
    yield Plan("small", why, size, 1, 40, narrow)


def _multiple(side: int) -> int:
    return max(side // STEP * STEP, LEAST)
