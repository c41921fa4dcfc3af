"""A value that `darkroom begin` chose."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A value for a key of params.yaml, as "section.key", and the reason in a few words."""

    key: str
    value: Any
    reason: str
