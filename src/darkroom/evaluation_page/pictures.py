"""The pictures that the evaluation page shows, each with what was answered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Neighbour:
    """The training picture nearest to another one; `similarity` is the cosine of their features, at most 1."""

    image_id: str
    path: str
    label: str
    similarity: float


@dataclass(frozen=True)
class ErrorPicture:
    """A picture answered wrong: the probabilities of the predicted class and of the label.

    `heat_map` and `occlusion` are pictures with the map laid over, as data URLs (PNG or WebP), or None.
    """

    image_id: str
    path: str
    label: str
    predicted: str
    probability: float
    label_probability: float
    heat_map: str | None = None
    occlusion: str | None = None
    nearest: Neighbour | None = None


@dataclass(frozen=True)
class UncertainPicture:
    """A picture between two classes: `predicted`, the most probable, and `second`, with their probabilities."""

    image_id: str
    path: str
    label: str
    predicted: str
    probability: float
    second: str
    second_probability: float


@dataclass(frozen=True)
class Example:
    """A picture that stands for others."""

    image_id: str
    path: str


@dataclass(frozen=True)
class ConfusedPair:
    """`pictures` of the class `actual` were taken for `predicted`; some of them are `examples`."""

    actual: str
    predicted: str
    pictures: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class ChangedPicture:
    """A picture that one of the two models answers right and the other wrong."""

    image_id: str
    path: str
    label: str
    predicted: str
    champion: str  # the class that the champion predicts
