"""A value that `darkroom begin` chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from darkroom.params.load import Overlay


@dataclass(frozen=True)
class Choice:
    """A value for a key of params.yaml, as "section.key", and the reason in a few words."""

    key: str
    value: Any
    reason: str


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
