"""What the macros of `elements.html.j2` draw: tiles, bars, cards, sheets of cards."""

from dataclasses import dataclass

from markupsafe import Markup

TINY = 64  # pixels: pictures of at most this side are enlarged without smoothing


@dataclass(frozen=True)
class Tile:
    """One number at the top of a page; `tone` is "good", "warn" or "plain".

    Tiles with the value "0" take no place of their own unless they warn: one line names them all.
    """

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
    """One picture with its captions; `tone` is "good", "bad" or "plain"; `width` and `height` in pixels, 0: unknown."""

    image_id: str
    path: str
    size: str
    about: str
    lines: tuple[str, ...] = ()
    tone: str = "plain"
    width: int = 0
    height: int = 0

    @property
    def tiny(self) -> bool:
        """Whether each pixel of the picture is shown as a square."""
        return 0 < max(self.width, self.height) <= TINY


@dataclass(frozen=True)
class Sheet:
    """Pictures shown together; `more` is how many others are not shown."""

    title: str
    note: str
    cards: tuple[Card, ...]
    more: int = 0
