"""The page for people: it asks, shows the answers, and saves pictures whose answer was wrong."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import Full
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from darkroom import pages
from darkroom.app.answering import request_key
from darkroom.app.cards import Card, make_card, render_cards, render_page
from darkroom.app.feedback import Feedback
from darkroom.app.multipart import read_form
from darkroom.app.parts import Parts
from darkroom.app.replies import Refused, json_reply, refusing
from darkroom.package.options import Options

STATIC = {
    "style.css": (Path(pages.__path__[0]) / "style.css", "text/css"),
    "app.css": (Path(__file__).parent / "web" / "app.css", "text/css"),
    "app.js": (Path(__file__).parent / "web" / "app.js", "text/javascript"),
}
EXAMPLE = "example picture"


@dataclass(frozen=True)
class Page:
    """The endpoints of the page: `name` of the model, the file of an example, where feedback is saved."""

    parts: Parts
    name: str
    example: Path
    saved: Feedback

    @property
    def classes(self) -> list[str]:
        """The classes of the champion."""
        return self.parts.models.champion.answers.classes

    @cached_property
    def _files(self) -> dict[str, tuple[bytes, str]]:
        return {name: (path.read_bytes(), kind) for name, (path, kind) in STATIC.items()}

    async def show(self, _: Request) -> Response:
        """Return the page without answers."""
        return await self._page([], "", 200)

    async def static(self, request: Request) -> Response:
        """Return a style sheet or the script."""
        if request.path_params["name"] not in self._files:
            raise Refused(404, "there is no such address")
        content, kind = self._files[request.path_params["name"]]
        return Response(content, media_type=kind)

    async def ask(self, request: Request) -> Response:
        """Answer on the pictures of a form: with the whole page, or with the cards alone for the script."""
        part = request.headers.get("X-Part") == "cards"
        with refusing(400):
            fields, files = await asyncio.to_thread(
                read_form, request.headers.get("content-type", ""), await request.body()
            )
        if "example" in fields and self.example.is_file():
            files = [(EXAMPLE, memoryview(self.example.read_bytes()))]
        cards = await self._answer(files, Options(explain="explain" in fields))
        if part:
            content = await asyncio.to_thread(render_cards, cards, self.classes)
            return Response(content, media_type="text/html; charset=utf-8")
        return await self._page(cards, "" if cards else "Choose a picture first.", 200 if cards else 400)

    async def feedback(self, request: Request) -> Response:
        """Save the picture that is the body with its right label, and record that as the outcome."""
        given = request.query_params
        label, predicted = given.get("label", ""), given.get("predicted", "")
        with refusing(400):
            key = request_key(given.get("request"))
        if not {label, predicted} <= self.parts.models.classes:
            raise Refused(400, "label and predicted must be classes of the model")
        version = self._version(given.get("version", ""))
        data, most = await request.body(), self.parts.models.champion.answers.limits["picture_bytes"]
        if len(data) > most:
            raise Refused(413, f"a picture may hold {most:,} bytes")
        with refusing(422):
            path = await asyncio.to_thread(self._save, data, label, predicted, version)
        self.parts.metrics.feedback.inc()
        try:
            self.parts.recorder.outcomes([(key, label)])
        except Full:
            self.parts.metrics.unlogged.inc()
        return json_reply({"saved": f"{label}/{path.name}"})

    def _version(self, given: str) -> str:
        if not (given.isascii() and given.isalnum() and len(given) <= 20):
            raise Refused(400, "version must be that of the answer")
        return given

    def _save(self, data: bytes, label: str, predicted: str, version: str) -> Path:
        self.parts.models.champion.answers.decode(data)  # raises ValueError for bytes that are not an image
        return self.saved.save(data, label, predicted, version)

    async def _answer(self, files: Sequence[tuple[str, memoryview]], options: Options) -> list[Card]:
        cards: list[Card] = []
        depth = self.parts.models.champion.answers.image["depth"]
        for name, part in files:
            data = bytes(part)
            key = request_key(None)
            answer = await self.parts.answering(data, options, key)
            cards.append(await asyncio.to_thread(make_card, name[:200], data, answer, key, depth))
        return cards

    async def _page(self, cards: Sequence[Card], problem: str, status: int) -> Response:
        models = self.parts.models
        served = {"champion": models.champion, "challenger": models.challenger}
        content: dict[str, Any] = {
            "name": self.name,
            "versions": [(role, one.version) for role, one in served.items() if one],
            "example": self.example.is_file(),
            "problem": problem,
        }
        html = await asyncio.to_thread(render_page, cards, self.classes, **content)
        return Response(html, status, media_type="text/html; charset=utf-8")
