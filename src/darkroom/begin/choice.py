"""A value that `darkroom begin` chose, and the rule that it follows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from darkroom.params.load import Overlay

Known = TypeVar("Known")
Row = tuple[str, str, str, str]  # of the table in docs/begin.md: fact, choice, why, gain as measured


@dataclass(frozen=True)
class Choice:
    """A value for a key of params.yaml, as "section.key", and the reason in a few words."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Rule(Generic[Known]):
    """A function from what is known to choices, and what docs/begin.md says of it."""

    decide: Callable[[Known], list[Choice]]
    rows: tuple[Row, ...]


def as_overlay(choices: Iterable[Choice]) -> Overlay:
    """Return the values by section and key."""
    found: Overlay = {}
    for choice in choices:
        *sections, key = choice.key.split(".")
        place: dict[str, Any] = found
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = choice.value
    return found
