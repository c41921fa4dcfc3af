"""A model, served as people serve it, and timed requests to it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from cost import memory_of, session_members
from working_copy import WorkingCopy

CHAMPION = "models:/darkroom@champion"


class Server:
    """A running server and one kept connection to it."""

    def __init__(self, port: int, session: int) -> None:
        self.port, self.session, self.started = port, session, time.perf_counter()
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.first_answer = 0.0  # seconds after the start

    def ask(self, method: str, path: str, body: bytes | None = None) -> float:
        """Return the milliseconds from a request to the last byte of its answer."""
        return timed(self.connection, method, path, body)

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used."""
        return sum(seconds for _, seconds in session_members(self.session))

    def memory(self) -> float:
        """Return the MB of the process that answers; `mlflow` itself only waits for it."""
        return max(memory_of(process) for process, _ in session_members(self.session))

    def wait_until_ready(self) -> None:
        """Return once the server answers; exits when it does not within two minutes."""
        while time.perf_counter() < self.started + 120:
            try:
                self.ask("GET", "/ping")
                self.first_answer = time.perf_counter() - self.started
                return
            except OSError:
                self.connection.close()
                time.sleep(0.05)
        raise SystemExit("the server does not answer")


def timed(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> float:
    """Return the milliseconds from a request to the last byte of its answer."""
    start = time.perf_counter()
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    passed = 1000 * (time.perf_counter() - start)
    assert answer.status == 200, text[:1000]
    return passed


@contextmanager
def served(copy: WorkingCopy, model: str = CHAMPION) -> Iterator[Server]:
    """Serve a model by `mlflow models serve` on a free port of this machine."""
    command = ["mlflow", "models", "serve", "-m", model, "--env-manager", "local"]
    with running(copy, command) as server:
        yield server


@contextmanager
def running(copy: WorkingCopy, command: list[str]) -> Iterator[Server]:
    """Run a server, a command that takes --port, on a free one; ends it and what it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (copy.root / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=copy.root, env=copy.env, stdout=log, stderr=log, start_new_session=True
        )
        try:
            server = Server(port, process.pid)
            server.wait_until_ready()
            yield server
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # its own group: it and its worker
            process.wait()
