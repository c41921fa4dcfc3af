"""`darkroom app`: from its arguments to a running server."""

import logging
import socket
from dataclasses import dataclass
from errno import EADDRNOTAVAIL
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from darkroom.app.answering import Answering
from darkroom.app.application import PATHS, build
from darkroom.app.connection import Connection
from darkroom.app.feedback import Feedback
from darkroom.app.metrics import Metrics
from darkroom.app.models import Models, open_first
from darkroom.app.page import Page
from darkroom.app.parts import Parts
from darkroom.app.password import Password
from darkroom.app.recording import Recorder
from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, project_root, workspace
from darkroom.package.invocations import return_memory
from darkroom.params.load import load_params
from darkroom.params.schema import Params
from darkroom.serving.bundles import CHAMPION
from darkroom.traffic.log import open_log

logger = logging.getLogger(__name__)
IDLE_SECONDS = 30  # a connection is kept open between two requests
END_SECONDS = 20  # requests at work may take after SIGTERM


@dataclass(frozen=True)
class Asked:
    """The arguments of `darkroom app`."""

    port: int
    host: str
    password_file: Path | None
    model: str


def serve(asked: Asked) -> int:
    """Serve until Ctrl-C or SIGTERM; raises UserError."""
    params = load_params(workspace() / "params.yaml")
    password = Password(asked.password_file) if asked.password_file else None
    with listen(asked.host, asked.port) as opened:
        parts = make_parts(asked.model, params)
        feedback = Feedback(project_root() / "data/feedback", params.app.feedback_bytes)
        page = Page(parts, params.package.name, workspace() / ARTEFACTS["example"], feedback)
        hosts = {asked.host.lower(), "localhost"} if _is_loopback(opened) and not password else None
        app = build(parts, page, params.app.body_bytes, password, hosts)
        _announce(asked, parts.models, opened, password)
        make_server(app, params.app.connections).run(sockets=[opened])
    return 0


def make_server(app: ASGIApp, connections: int) -> uvicorn.Server:
    """Return the HTTP server; beyond so many `connections` it answers 503."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            log_config=None,
            log_level=logging.CRITICAL,
            access_log=False,
            server_header=False,
            limit_concurrency=connections,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=END_SECONDS,
        )
    )


def make_parts(model: str, params: Params) -> Parts:
    """Load the model and start the threads that follow the store and write the log of traffic."""
    return_memory()
    metrics = Metrics(PATHS)
    models = Models(open_first(model, params.package.name), lambda result: metrics.reloads.labels(result).inc())
    recorder = Recorder(open_log(params.ab), params.ab.log_pictures > 0, metrics.unlogged.inc)
    if model == CHAMPION:
        models.follow(params.package.name, params.ab.mode != "none")
    return Parts(models, metrics, recorder, Answering(models, metrics, recorder, params.ab))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; raises UserError when it cannot be used."""
    try:
        *kind, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(*kind)  # with the protocol given, asyncio sends small answers without delay
    except OSError:
        raise UserError(f"--host {host}: no such address; give 127.0.0.1 or 0.0.0.0") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(100)  # else another process could bind the same port
    except OSError as error:
        opened.close()
        reason = error.strerror or "cannot be used"
        other = "--host" if error.errno == EADDRNOTAVAIL else "--port"
        raise UserError(f"port {port} of {host}: {reason}; give another one with {other}", 1) from None
    return opened


def _announce(asked: Asked, models: Models, opened: socket.socket, password: Password | None) -> None:
    host = f"[{asked.host}]" if ":" in asked.host else asked.host
    version = models.champion.version
    logger.info("version %s answers on http://%s:%d (Ctrl-C ends it)", version, host, opened.getsockname()[1])
    if not password and not _is_loopback(opened):
        logger.warning("everybody who reaches %s may use it; --password-file FILE asks for a password", asked.host)


def _is_loopback(opened: socket.socket) -> bool:
    return ip_address(opened.getsockname()[0].split("%")[0]).is_loopback
