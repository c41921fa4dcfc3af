"""The champion of a working copy, served as people serve it, and timed requests to it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection

from cost import proportional_memory, session_members
from working_copy import WorkingCopy

MLFLOW = ("mlflow", "models", "serve", "-m", "models:/darkroom@champion", "--env-manager", "local")
APP = ("darkroom", "app")


class Server:
    """A running server and one kept connection to it."""

    def __init__(self, port: int, session: int) -> None:
        self.port = port
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.session = session

    def ask(self, method: str, path: str, body: bytes | None = None) -> float:
        """Return the milliseconds from a request to the last byte of its answer."""
        start = time.perf_counter()
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        passed = 1000 * (time.perf_counter() - start)
        assert answer.status == 200, text
        return passed

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used."""
        return sum(seconds for _, seconds in session_members(self.session))

    def memory(self) -> float:
        """Return the MB that all processes of the server hold."""
        return sum(proportional_memory(process) for process, _ in session_members(self.session))

    def wait_until_ready(self) -> None:
        """Return once the server answers; exits when it does not within two minutes."""
        for _ in range(600):
            try:
                self.ask("GET", "/ping")
                return
            except OSError:
                self.connection.close()
                time.sleep(0.2)
        raise SystemExit("the server does not answer")


@contextmanager
def served(copy: WorkingCopy, command: Sequence[str] = MLFLOW) -> Iterator[Server]:
    """Serve the champion by `command` on a free port of this machine; ends the server and what it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (copy.root / "server.log").open("wb") as log:
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
