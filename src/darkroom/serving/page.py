"""The predictions as one page: each picture beside its answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.images.decode import silent_pillow
from darkroom.pages.elements import Tile
from darkroom.pages.embedded import data_url, thumbnail
from darkroom.pages.render import render
from darkroom.serving.heat import Drawer
from darkroom.serving.inputs import Picture
from darkroom.serving.pipeline import Batch, answer, decoded
from darkroom.serving.rows import best_classes
from darkroom.serving.sinks import Tally

if TYPE_CHECKING:
    from darkroom.package.answers import Answers

CLASSES = 3  # with a bar, at least
PIXELATED = 64  # pixels of the longer side: a picture up to that size is shown in crisp squares
TEMPLATE = Path(__file__).with_name("predictions.html.j2")


@dataclass(frozen=True)
class Shown:
    """A row of the page: pictures as data URLs, `shares` as (class, per cent), `flags` as (text, tone)."""

    path: str
    picture: str = ""
    pixelated: bool = False
    overlay: str = ""
    label: str = ""
    shares: Sequence[tuple[str, float]] = ()
    members: Sequence[str] = ()
    flags: Sequence[tuple[str, str]] = ()


def write_page(
    path: Path, pictures: Sequence[Picture], tally: Tally, answers: "Answers", draw: Drawer | None, top: int
) -> None:
    """Write the page, UTF-8 HTML that needs nothing else: the answers on `pictures`, asked anew, and all the numbers.

    `draw` draws where the network sees the class; without it, pictures stand alone.
    """
    rows: list[Shown] = []
    with silent_pillow():
        for batch in decoded(pictures, answers, keep_bytes=True):
            overlays = _overlays(batch, found := answer(batch, answers), answers.classes, draw)
            rows += _shown(batch, found, overlays, answers, max(top, CLASSES))
    content = {"rows": rows, "tiles": _tiles(tally), "total": tally.pictures, "explained": draw is not None}
    path.write_bytes(render(TEMPLATE, content))


def _shown(
    batch: Batch, found: list[dict[str, Any] | None], overlays: Iterator[str], answers: "Answers", top: int
) -> Iterator[Shown]:
    for picture, data, reply, error in zip(batch.pictures, batch.data, found, batch.errors, strict=True):
        if reply is None:
            yield Shown(picture.path, flags=[(error or "", "failed")])
            continue
        small = thumbnail(data, answers.image["depth"])
        shares = [(name, 100 * share) for name, share in best_classes(reply, top)]
        yield Shown(
            picture.path,
            data_url(small),
            max(small.size) <= PIXELATED,
            next(overlays, ""),
            reply["label"],
            shares,
            reply["set"],
            _flags(reply),
        )


def _flags(reply: dict[str, Any]) -> list[tuple[str, str]]:
    texts = {"abstains": "abstains", "unfamiliar": "unlike the training pictures"}
    return [(text, "warning") for name, text in texts.items() if reply[name]]


def _overlays(
    batch: Batch, found: list[dict[str, Any] | None], classes: list[str], draw: Drawer | None
) -> Iterator[str]:
    """Return an iterator over the data URLs of what `draw` draws on the pictures that have an answer."""
    known = [pixels for pixels in batch.pixels if pixels is not None]
    if not draw or not known:
        return iter(())
    predicted = np.array([classes.index(reply["label"]) for reply in found if reply])
    return map(data_url, draw(np.stack(known), predicted))


def _tiles(tally: Tally) -> list[Tile]:
    """Return the numbers at the top of the page."""
    unsure = "not exactly one class is probable, or unlike the training pictures"
    answered = tally.pictures - tally.unreadable - tally.abstained
    return [
        Tile(f"{tally.pictures:,}", "pictures", "in the order of the input", "plain"),
        Tile(f"{answered:,}", "answered", "with one class", "good" if answered else "warn"),
        Tile(f"{tally.abstained:,}", "abstained", unsure, "warn" if tally.abstained else "plain"),
        Tile(f"{tally.unreadable:,}", "unreadable", "with the reason", "warn" if tally.unreadable else "plain"),
    ]
