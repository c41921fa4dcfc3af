"""A cluster of two nodes on this machine, one CPU each; each node is a `ray start` that a test may end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest

ADDRESSES = [f"127.0.{20 + os.getpid() % 200}.{number}" for number in (2, 3)]  # its own for each process of tests
NEEDS_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: make env EXTRA=ray")
T = TypeVar("T")
WAIT = 240  # seconds, for a node to come and for what a test waits for


class Cluster:
    """Its address, the processes of its nodes, and what a child process needs to use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("", 0)) as free:  # Ray listens on all addresses, beside that of another process
            self.port = free.getsockname()[1]
        self.address = f"{ADDRESSES[0]}:{self.port}"
        self.nodes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both nodes."""
        self.nodes = [
            self._start("--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.folder}")
        ]
        self.add_node()

    def add_node(self) -> None:
        """Start the second node, and wait until both are there."""
        self._wait_for(1)
        self.nodes[1:] = [self._start(f"--address={self.address}")]
        self._wait_for(2)

    def kill_node(self) -> None:
        """End the second node with all of its processes, as when a machine goes down."""
        kill([self.nodes[1].pid, *descendants(self.nodes[1].pid)])
        self.nodes[1].wait()

    def workers(self) -> list[int]:
        """Return the processes of both nodes in which tasks and actors run, or may run."""
        found = [pid for node in self.nodes for pid in descendants(node.pid)]
        return [pid for pid in found if name_of(pid).startswith("ray::") and "Agent" not in name_of(pid)]

    def busy_workers(self) -> list[int]:
        """Return the processes that run a task."""
        return [pid for pid in self.workers() if name_of(pid).startswith("ray::_call")]

    def trainings(self) -> list[int]:
        """Return what the workers' fork servers have started."""
        return [pid for worker in self.workers() for server in descendants(worker) for pid in descendants(server)]

    def second_is_busy(self) -> bool:
        """Tell whether the second node runs a task."""
        return any(name_of(pid).startswith("ray::_call") for pid in descendants(self.nodes[1].pid))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        address = ADDRESSES["--head" not in arguments]
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=1", *arguments]
        command += [f"--node-ip-address={address}", "--object-store-memory=100000000", "--disable-usage-stats"]
        with (self.folder / f"{address}.log").open("wb") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=without_address(), start_new_session=True
            )

    def _wait_for(self, count: int) -> None:
        program = f"from darkroom.execution.cluster import nodes; raise SystemExit(len(nodes()) != {count})"
        end = time.monotonic() + WAIT
        while subprocess.run([sys.executable, "-c", program], env=self.environment(), capture_output=True).returncode:
            if time.monotonic() > end:
                raise TimeoutError(f"no {count} nodes after {WAIT} s; see {self.folder}")
            time.sleep(0.5)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that uses the cluster."""
        return without_address() | {"RAY_ADDRESS": self.address}

    def stop(self) -> None:
        """End all processes."""
        for node in self.nodes:
            kill([node.pid, *descendants(node.pid)])
            node.wait()


def wait_until(what: Callable[[], T], process: subprocess.Popen[str]) -> T:
    """Return what is true in the end; fails when the process ends before, or after some minutes."""
    end = time.monotonic() + WAIT
    while not (found := what()):
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end, f"not true after {WAIT} s"
        time.sleep(0.01)
    return found


def printed(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the JSON that a process prints; Ray prints its own lines about workers that died."""
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err[-3000:]
    found: dict[str, str] = json.loads(next(line for line in out.splitlines() if line.startswith("{")))
    return found


def without_address() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}


@contextmanager
def two_nodes(folder: Path) -> Iterator[Cluster]:
    """Start a cluster, and end it; its files are below `folder`, whose path must be short (sockets)."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    found = []
    with suppress(OSError):  # the process has ended
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):  # its thread has ended
                for child in map(int, children.read_text().split()):
                    found += [child, *descendants(child)]
    return found


def name_of(pid: int) -> str:
    """Return the command line of a process; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def kill(pids: list[int]) -> None:
    """Kill processes, but those that have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
