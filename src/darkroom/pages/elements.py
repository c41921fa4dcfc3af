"""What the macros of `elements.html.j2` draw: tiles, bars, cards, sheets of cards."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Tile:
    """One number at the top of a page; `tone` is "good", "warn" or "plain"."""

    value: str
    name: str
    about: str
    tone: str


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart."""

    name: str
    drawing: Markup
    text: str


@dataclass(frozen=True)
class Card:
    """One picture with its captions; `tone` is "good", "bad" or "plain"."""

    image_id: str
    path: str
    size: str
    about: str
    lines: tuple[str, ...] = ()
    tone: str = "plain"


@dataclass(frozen=True)
class Sheet:
    """Pictures shown together; `more` is how many others are not shown."""

    title: str
    note: str
    cards: tuple[Card, ...]
    more: int = 0
