"""The real scoring server, and questions to it."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from project import Project


@contextmanager
def serving(project: Project, model: str = "models:/darkroom@champion") -> Iterator[str]:
    """Start `mlflow models serve` in the project's root and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", model, "--env-manager", "local", "-p", str(port)]
    server = subprocess.Popen(
        command, cwd=project.root, env=project.env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(server, address)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=30)


def _wait_until_up(server: "subprocess.Popen[bytes]", address: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/ping", timeout=5)
            return
        except OSError:
            assert server.poll() is None, server.communicate()[1].decode()[-3000:]
            time.sleep(0.5)
    raise AssertionError("the server did not start")


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
