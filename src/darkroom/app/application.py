"""The ASGI application: the page, the answers for programs, metrics, outcomes and feedback."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from darkroom.app.guard import Guard
from darkroom.app.page import Page
from darkroom.app.parts import Parts
from darkroom.app.password import Password
from darkroom.app.programs import Programs
from darkroom.app.replies import Refused, json_reply

PATHS = (
    *("/", "/feedback", "/static", "/predict", "/invocations", "/outcomes", "/metrics", "/ping", "/health", "/version"),
)


def build(
    parts: Parts, page: Page, limit: int, password: Password | None = None, hosts: Collection[str] | None = None
) -> ASGIApp:
    """Return the application; a request has at most `limit` bytes, and one of these `hosts` or a loopback address."""
    ask = Programs(parts)
    routes = [
        Route("/", page.show, methods=["GET"]),
        Route("/", page.ask, methods=["POST"]),
        Route("/feedback", page.feedback, methods=["POST"]),
        Route("/static/{name}", page.static, methods=["GET"]),
        Route("/predict", ask.predict, methods=["POST"]),
        Route("/invocations", ask.invocations, methods=["POST"]),
        Route("/outcomes", ask.outcomes, methods=["POST"]),
        Route("/metrics", ask.metrics, methods=["GET"]),
        Route("/ping", ask.ping, methods=["GET"]),
        Route("/health", ask.ping, methods=["GET"]),
        Route("/version", ask.version, methods=["GET"]),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(parts.close)

    handlers = {HTTPException: _http_error, Refused: _refused, Exception: _failed}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    return Guard(app, limit, password, parts.metrics.observe, hosts)


async def _http_error(_: Request, error: Exception) -> Response:
    """Answer on a path or a method that the app does not have."""
    found, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    text = "this address takes another method" if found == 405 else "there is no such address"
    reply = json_reply({"error": text}, found)
    reply.headers.update(headers or {})  # with 405 Allow, which RFC 9110 requires
    return reply


async def _refused(_: Request, error: Exception) -> Response:
    return json_reply({"error": str(error)}, error.status if isinstance(error, Refused) else 500)


async def _failed(_: Request, _error: Exception) -> Response:
    """Answer in place of the traceback that Starlette would send; the guard logs the error."""
    return json_reply({"error": "the server failed; its log says why"}, 500)
