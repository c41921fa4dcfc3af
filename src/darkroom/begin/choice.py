"""A value that `darkroom begin` chose, and the rule that it follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Known = TypeVar("Known")


@dataclass(frozen=True)
class Choice:
    """A value for a key of params.yaml, as "section.key", and the reason in a few words."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Rule(Generic[Known]):
    """A row of docs/begin.md's table, and the function that follows it."""

    fact: str
    choice: str
    why: str
    gain: str  # as measured
    decide: Callable[[Known], list[Choice]]
