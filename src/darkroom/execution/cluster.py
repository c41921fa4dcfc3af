"""The Ray cluster that RAY_ADDRESS names: a process connects to it with its code and its settings."""

import atexit
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, TypeVar

from darkroom.core.errors import UserError
from darkroom.execution.quiet import SETTINGS, without_native_messages

ADDRESS = "RAY_ADDRESS"
ANSWER = 120  # seconds for an answer of all nodes
# how a client of gRPC begins, and what a server answers: RFC 9113, sections 3.4 and 6.5
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
SETTINGS_FRAME = b"\x04"
TIMEOUT = 10  # seconds; Ray itself would try for minutes, and print a line each time
OOM_RETRIES = "RAY_task_oom_retries"  # without a limit, a task that needs more memory than there is begins for ever
T = TypeVar("T")
PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: its address and what it offers to tasks."""

    id: str
    address: str
    cpus: float
    gpus: float


def on_cluster() -> bool:
    """Tell whether the environment names a cluster."""
    return bool(os.environ.get(ADDRESS))


def connect() -> Any:
    """Return the module ray, connected to the cluster until this process ends or cancels the tasks of an executor.

    The package darkroom travels to the nodes as it is here; all else must be installed there. Raises UserError when
    Ray is not installed, nothing answers at the address, or its versions of Ray or Python are others.
    """
    address = require_cluster()
    import ray

    if not ray.is_initialized():
        os.environ.setdefault(OOM_RETRIES, "3")
        try:
            with _kept_sigterm():
                ray.init(address, log_to_driver=False, configure_logging=False, runtime_env=_environment())
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise UserError(f"{ADDRESS} = {address!r}: {' '.join(str(error).split())}", 1) from None
        atexit.unregister(ray.shutdown)  # it waits half a second for what workers print, which is not shown
        atexit.register(_disconnect_at_exit)
    return ray


def disconnect() -> None:
    """Leave the cluster, which ends the tasks of this process; does nothing when not connected."""
    import ray

    with without_native_messages():  # Ray's core prints lines about the tasks that it ends
        ray.shutdown()


def nodes() -> list[Node]:
    """Return the nodes that are alive, by address; connects to the cluster."""
    alive = [node for node in connect().nodes() if node["Alive"]]
    found = [
        Node(one["NodeID"], one["NodeManagerAddress"], one["Resources"].get("CPU", 0), one["Resources"].get("GPU", 0))
        for one in alive
    ]
    return sorted(found, key=lambda node: (node.address, node.id))


def slots(cpus: float, gpus: float) -> int:
    """Return how many tasks that take so many CPUs and GPUs of one node the cluster holds at once."""
    return sum(int(min(node.cpus // cpus, node.gpus // gpus if gpus else node.cpus // cpus)) for node in nodes())


def ask_nodes(question: Callable[..., T], *arguments: Any) -> dict[Node, T]:
    """Return what a function of a module returns on each node; raises UserError where it raises or a node is silent."""
    ray = connect()
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = ray.remote(num_cpus=0)(question)
    found = nodes()
    there = [NodeAffinitySchedulingStrategy(node.id, soft=False) for node in found]
    try:
        answers = ray.get([asked.options(scheduling_strategy=one).remote(*arguments) for one in there], timeout=ANSWER)
    except ray.exceptions.RayError as error:
        reason = getattr(error, "cause", None) or error  # what the function raised, without Ray's traceback
        raise UserError(f"{ADDRESS}: a node does not answer: {' '.join(str(reason).split())}", 1) from None
    return dict(zip(found, answers, strict=True))


def require_cluster() -> str:
    """Return the address in RAY_ADDRESS; raises UserError unless Ray is installed here and answers there."""
    address = os.environ.get(ADDRESS, "")
    if find_spec("ray") is None:
        advice = "install it with `make env EXTRA=ray` (pip install 'darkroom[ray]'), or unset RAY_ADDRESS"
        raise UserError(f"{ADDRESS} = {address!r}, but Ray is not installed; {advice}")
    if address != "auto":  # the cluster that this machine is a node of
        _require_reachable(address)
    return address


def _require_reachable(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in address:
        raise UserError(f"{ADDRESS} = {address!r}: must be host:port of the head node, as `ray start --head` shows it")
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), TIMEOUT)) as connection:
            connection.sendall(GREETING)
            if connection.recv(9)[3:4] == SETTINGS_FRAME or os.environ.get("RAY_USE_TLS"):
                return
            error: Exception = ConnectionError("something else listens there")
    except (OSError, OverflowError) as failure:
        error = failure
    advice = "start a cluster with `ray start --head`, or unset RAY_ADDRESS to work on this machine"
    raise UserError(f"{ADDRESS} = {address!r}: no Ray cluster answers ({error}); {advice}", 1)


def _disconnect_at_exit() -> None:
    """Disconnect at the end of this process; all is done, and a Ctrl-C would only give a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    disconnect()


@contextmanager
def _kept_sigterm() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by one that prints its stack."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, before)


def _environment() -> dict[str, Any]:
    """Return Ray's runtime environment: the code of this process, and the variables that decide what libraries do.

    A task has no cluster: what it calls works in its own process.
    """
    names = (*SETTINGS, "DVC_ROOT")
    settings = {name: os.environ[name] for name in names if name in os.environ} | {ADDRESS: ""}
    return {"py_modules": [str(PACKAGE)], "env_vars": settings, "excludes": ["__pycache__"]}
