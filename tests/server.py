"""Real servers, and questions to the one that scores."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from project import Project


@contextmanager
def listening(
    command: list[str], folder: Path, env: Mapping[str, str] | None = None, path: str = "/health"
) -> Iterator[tuple[str, int]]:
    """Run a server, a command that takes --port, until the block ends; yield its address and its process group.

    The block begins when `path` answers; a server that ends before fails with what it wrote to standard error.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.NamedTemporaryFile() as errors:  # nobody reads a pipe, and a full one would stop the server
        server = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until(f"http://127.0.0.1:{port}{path}", server, Path(errors.name))
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait_until(page: str, server: "subprocess.Popen[bytes]", errors: Path) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(page, timeout=5)
            return
        except OSError:
            assert server.poll() is None, errors.read_text()[-3000:]
            time.sleep(0.25)
    raise AssertionError(f"{page} does not answer")


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """Serve the champion by `mlflow models serve` in the project's root and yield its address."""
    command = ["mlflow", "models", "serve", "-m", "models:/darkroom@champion", "--env-manager", "local"]
    with listening(command, project.root, project.env(), "/ping") as (address, _):
        yield address


def ask(address: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Post `body` and return the predictions."""
    request = urllib.request.Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            predictions: list[dict[str, Any]] = json.load(answer)["predictions"]
            return predictions
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.code}: {error.read().decode()[:1000]}") from error
