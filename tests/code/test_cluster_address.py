"""RAY_ADDRESS names a cluster; what is wrong with it is one line, and known facts stay where the driver is."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from multiprocessing import AuthenticationError
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.execution import cluster, node_check
from darkroom.execution.cluster import Node, connect, on_cluster
from darkroom.execution.kept_here import StandIn, keep_here
from darkroom.execution.node_check import Facts
from darkroom.execution.tasks import AHEAD, in_order
from ray_cluster import NEEDS_RAY


@pytest.mark.parametrize("address", ["nonsense", "ray://10.0.0.1:10001", "10.0.0.1", ":6379", "host:port"])
@NEEDS_RAY
def test_an_address_is_that_of_a_head_node(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UserError, match=r"must be host:port of the head node, as `ray start --head` shows it$"):
        connect()


@NEEDS_RAY
def test_an_address_where_nothing_listens_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(
        UserError, match=r"no Ray cluster answers .*; start a cluster with `ray start --head`, or unset"
    ):
        connect()


@NEEDS_RAY
def test_a_server_that_is_not_ray_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server.server_port}")
        with pytest.raises(UserError, match=r"no Ray cluster answers \(something else listens there\)"):
            connect()
        server.shutdown()


def test_without_ray_a_set_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not on_cluster()
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    assert on_cluster()
    with pytest.raises(UserError, match=r"^RAY_ADDRESS = '10.0.0.1:6379', but Ray is not installed; .*EXTRA=ray"):
        connect()


def test_ray_is_not_imported_without_an_address() -> None:
    program = "import sys, darkroom.execution.workers, darkroom.execution.ray_executor; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


class Counting(ThreadPoolExecutor):
    """Counts calls that were submitted."""

    submitted = 0

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(work, *arguments, **options)


def test_results_come_in_order_and_few_calls_wait() -> None:
    with Counting(2) as pool:
        results = in_order(pool, (partial(pow, number, 2) for number in range(100)))
        assert next(results) == 0
        assert pool.submitted <= 2 * AHEAD
        assert list(results) == [number**2 for number in range(1, 100)]


def test_when_a_call_raises_the_others_are_cancelled() -> None:
    waiting, futures = Event(), list[Future[Any]]()

    class Keeping(Counting):
        def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
            futures.append(super().submit(work, *arguments, **options))
            return futures[-1]

    def calls() -> Iterator[Callable[[], Any]]:
        yield partial(int, "no number")
        yield partial(waiting.wait, 10)
        yield from [partial(int, "1")] * 100

    with Keeping(1) as pool:
        with pytest.raises(ValueError, match="no number"):
            list(in_order(pool, calls()))
        waiting.set()
    with pytest.raises(CancelledError):
        futures[-1].result()


class Memory:
    """Something that stays on this machine."""

    def double(self, number: int) -> int:
        if number < 0:
            raise UserError("must not be negative", 1)
        return 2 * number


def test_what_is_kept_here_answers_through_the_network_whoever_has_its_key() -> None:
    memory = keep_here(Memory(), "127.0.0.1")
    assert memory.double(21) == 42
    with pytest.raises(UserError, match="must not be negative"):
        memory.double(-1)
    silent = socket.create_connection(vars(memory)["_address"])
    assert memory.double(2) == 4
    silent.close()
    stranger = StandIn(vars(memory)["_address"], b"another key")
    with pytest.raises(AuthenticationError):
        stranger.double(21)
    assert memory.double(1) == 2


def test_a_node_with_other_versions_or_without_the_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = Node("1", "10.0.0.1", 8, 0), Node("2", "10.0.0.2", 8, 1)

    def ask(question: Callable[..., Facts], *arguments: Any) -> dict[Node, Facts]:
        facts = question(*arguments)  # as on a node that has all
        assert facts.sees
        return {here: facts, other: Facts(facts.versions | {"numpy": "1.0"}, sees=False)}

    monkeypatch.setattr(node_check, "ask_nodes", ask)
    assert node_check.node_faults(("numpy",), tmp_path) == {
        here: [],
        other: [
            f"numpy is 1.0, here {version('numpy')}",
            f"does not see {tmp_path}: mount this repository's file system there, at the same path",
        ],
    }
    assert list(tmp_path.iterdir()) == []
