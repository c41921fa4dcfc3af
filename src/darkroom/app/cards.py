"""The answers on the page: a card for each picture, in HTML that the server makes with and without JavaScript."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from darkroom.images.decode import silent_pillow
from darkroom.pages.embedded import data_url, thumbnail
from darkroom.pages.render import render

SIDE = 320  # pixels of a picture on the page, at most
TINY = 64  # pixels: pictures of at most this side are enlarged without smoothing
CLASSES = 5  # with a bar
MEMBERS = 8  # of a set that are named
TEMPLATES = Path(__file__).parent / "web"


@dataclass(frozen=True)
class Card:
    """A picture and its answer; `picture` and `heat_map` are data URLs, "" without."""

    name: str
    answer: dict[str, Any]
    request: str
    picture: str = ""
    tiny: bool = False
    heat_map: str = ""

    @property
    def bars(self) -> list[tuple[str, str, Markup]]:
        """The most probable classes: name, per cent, bar."""
        best = sorted(self.answer["probabilities"].items(), key=lambda item: -item[1])[:CLASSES]
        bar = Markup('<svg class="bar" aria-hidden="true"><rect class="mark" width="{:.2f}%" height="100%"/></svg>')
        return [(name, f"{100 * share:.1f} %", bar.format(100 * share)) for name, share in best]

    @property
    def members(self) -> str:
        """The classes of the conformal set."""
        members = self.answer["set"]
        more = f" and {len(members) - MEMBERS} more" if len(members) > MEMBERS else ""
        return ", ".join(members[:MEMBERS]) + more

    @property
    def summary(self) -> str:
        """The answer in one line, for screen readers."""
        if self.answer["error"]:
            return f"{self.name}: {self.answer['error']}"
        return f"{self.name}: {self.answer['label']}, {100 * self.answer['score']:.0f} %"


def make_card(name: str, data: bytes, answer: dict[str, Any], request: str, depth: Any) -> Card:
    """Return the card of a picture's bytes; one with an error has no picture."""
    if answer["error"]:
        return Card(name, answer, request)
    with silent_pillow():
        small = thumbnail(data, depth, SIDE)
    heat = answer.get("heat_map")
    heat_map = f"data:image/png;base64,{heat}" if heat else ""
    return Card(name, answer, request, data_url(small), max(small.size) <= TINY, heat_map)


def render_cards(cards: Sequence[Card], classes: Sequence[str]) -> bytes:
    """Return the cards alone, for a page that is already there."""
    return render(TEMPLATES / "cards.html.j2", {"cards": cards, "classes": classes})


def render_page(cards: Sequence[Card], classes: Sequence[str], **content: object) -> bytes:
    """Return the whole page; `content`: name, versions, example (whether there is one), problem ("" without)."""
    return render(TEMPLATES / "page.html.j2", {"cards": cards, "classes": classes, **content})
