"""What stands before every request: size, time, password, and the headers that browsers obey."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from darkroom.app.password import Password
from darkroom.app.replies import Refused, json_reply
from darkroom.core.errors import first_line

logger = logging.getLogger(__name__)
BODY_SECONDS = 30.0  # in which the body of a request has to arrive
LAST_SECONDS = 1.0  # in which a refused client may end what it is sending
BODIES_AT_ONCE = 2  # as many of the largest size are in memory
OPEN = ("/ping", "/health")  # without a password: a load balancer asks them
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Observe = Callable[[str, int, float], None]  # path, status, seconds


class Guard:
    """An ASGI layer that passes on complete requests only, each with its whole body, at most `limit` bytes.

    Without `hosts`, a request may name any host; with them, these and loopback addresses.
    A refusal is JSON with one line that quotes nothing of the request. Any failure further in is logged in one line.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        password: Password | None,
        observe: Observe,
        hosts: Collection[str] | None = None,
    ) -> None:
        self.app, self.limit, self.password, self.observe, self.hosts = app, limit, password, observe, hosts
        self.held = 0  # bytes of all bodies in memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, reply = asyncio.get_running_loop().time(), _Reply(send)
        try:
            self._require_admitted(scope)
            async with self._body(Headers(scope=scope), receive) as whole:
                await self.app(scope, whole, reply)
        except Refused as refused:
            await _refuse(refused, receive, reply)
        except Exception as error:
            logger.warning("%s failed: %s: %s", scope["path"][:40], type(error).__name__, first_line(error)[:200])
            if not reply.status:
                await _refuse(Refused(500, "the server failed; its log says why"), receive, reply)
        finally:
            self.observe(scope["path"], reply.status, asyncio.get_running_loop().time() - started)

    def _require_admitted(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if self.hosts is not None and not _is_host(host, self.hosts):
            raise Refused(403, "the header Host is not that of this machine; docs/app.md says what a proxy needs")
        if self.password and scope["path"] not in OPEN and not self.password.opens(headers.get("authorization", "")):
            raise Refused(401, "the password is missing or wrong")
        if scope["method"] == "POST" and not _is_own_page(headers, host):
            raise Refused(403, "another site may not send requests from a browser")

    @asynccontextmanager
    async def _body(self, headers: Headers, receive: Receive) -> AsyncIterator[Receive]:
        """Give a `receive` with the whole body, which counts as held until the request is answered."""
        body, size = bytearray(), 0
        try:
            await self._read(headers, receive, body)
            size, whole = len(body), _replay(bytes(body), receive)
            body.clear()  # two copies of a large body are one too many
            yield whole
        finally:
            self.held -= max(size, len(body))

    async def _read(self, headers: Headers, receive: Receive, body: bytearray) -> None:
        """Read the body; raises Refused for one that is too large, too slow, or broken off."""
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.limit:
            raise Refused(413, f"the request is larger than {self.limit:,} bytes")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refused(400, "the request was broken off")
                    self._keep(message.get("body", b""), body)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refused(408, f"the request took longer than {BODY_SECONDS:.0f} s to arrive") from None

    def _keep(self, chunk: bytes, body: bytearray) -> None:
        if len(body) + len(chunk) > self.limit:
            raise Refused(413, f"the request is larger than {self.limit:,} bytes")
        if self.held + len(chunk) > BODIES_AT_ONCE * self.limit:
            raise Refused(503, "too many large requests at a time; try again in a moment")
        body += chunk
        self.held += len(chunk)


class _Reply:
    """A `send` that adds the headers, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self.send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message).update(HEADERS)
        await self.send(message)


async def _refuse(refused: Refused, receive: Receive, send: Send) -> None:
    """Refuse, then take in for a moment what the client still sends: cut off, it might not read the answer."""
    reply = json_reply({"error": str(refused)}, refused.status)
    if refused.status == 401:
        reply.headers["WWW-Authenticate"] = 'Basic realm="darkroom", charset="UTF-8"'
    if refused.status in (401, 408, 413, 503):
        reply.headers["Connection"] = "close"
    await send({"type": "http.response.start", "status": refused.status, "headers": reply.raw_headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b""})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the whole body first, then what else comes: that the client has left."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    del body

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _is_own_page(headers: Headers, host: str) -> bool:
    """Return whether a request may come from where it does; programs say nothing of that.

    Chromium sends Sec-Fetch-Site only over HTTPS and to loopback; everywhere else the origin must be this host.
    """
    if site := headers.get("sec-fetch-site"):
        return site in ("none", "same-origin")
    origin = headers.get("origin")
    return origin is None or origin.lower().partition("://")[2] == host


def _is_host(host: str, known: Collection[str]) -> bool:
    """Return whether a header Host is a loopback address or a `known` name, with any port.

    A page whose name was turned into 127.0.0.1 (DNS rebinding) asks with its own name.
    """
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    try:
        return name in known or ip_address(name).is_loopback
    except ValueError:
        return False
