"""What `darkroom begin` knows of a data set after a look at it: headers and a sample of pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Facts:
    """A data set below data/raw/.

    `source` is the value of ingest.source. `classes` has the pictures of each class by its name. `splits` has the
    pictures of each given split (train, validation, test), empty where none is given. `short_sides` are the 10th, 50th
    and 90th percentile of the shorter sides in pixels, `aspect` is the median of longer side / shorter side, `grey` the
    share of pictures without colour, 0-1, `smallest_side` the smallest shorter side seen. `unreadable` is the share of
    the files that are no pictures, as ingest reports it, `unreadable_because` the reason most often found, "" for none.
    `columns` is the value of ingest.columns for a table, empty for any other source.
    """

    source: str
    classes: Mapping[str, int]
    splits: Mapping[str, int]
    short_sides: tuple[int, int, int]
    aspect: float
    grey: float
    smallest_side: int
    unreadable: float = 0.0
    unreadable_because: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pictures(self) -> int:
        """The number of pictures with a class."""
        return sum(self.classes.values())


@dataclass(frozen=True)
class Proposal:
    """A setting that the data suggests and that is not applied: its key, the value for it, and why."""

    key: str
    value: str
    reason: str
