"""Tasks of a Ray cluster behind the interface of `concurrent.futures`."""

import logging
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from threading import Lock
from typing import Any
from weakref import WeakSet

from darkroom.core.errors import UserError
from darkroom.execution.cluster import connect, disconnect, slots
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.kept_here import keep_here
from darkroom.execution.quiet import silence_libraries

logger = logging.getLogger(__name__)
RETRIES = 3  # of a task whose worker or node died
_LOCK = Lock()  # of the connection to the cluster, which all executors of this process share
_open: WeakSet["RayExecutor"] = WeakSet()  # those that have not been shut down


class RayExecutor(Executor):
    """Runs each call as a task of the cluster, spread over its nodes; a task takes `cpus` and `gpus` of one node.

    Calls are of functions of modules, which the nodes import. A task whose worker or node dies is run again, up to 3
    times; then its future raises BrokenProcessPool, as that of a process pool does. A task that raises an exception of
    the type `retried` is run again likewise. Raises what `cluster.connect` does.
    """

    def __init__(self, cpus: float = 1, gpus: float = 0, retried: type[Exception] | None = None) -> None:
        with _LOCK:
            self._ray = connect()
            _open.add(self)
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": RETRIES, "scheduling_strategy": "SPREAD"}
        again = [retried] if retried else False
        self._task = self._ray.remote(**options, retry_exceptions=again, max_calls=0)(_call)  # 0: workers are kept
        self._max_workers = slots(cpus, gpus)
        if not self._max_workers:
            logger.info("no node of the cluster has room for a task; waiting until one joins")
        self._unfinished: set[Future[Any]] = set()  # of tasks that have not ended

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Submit a call; cancelling its future, possible until the task ends, does not stop the task.

        Raises RuntimeError after `shutdown`.
        """
        future: Future[Any] = Future()
        with _LOCK:
            if self not in _open:
                raise RuntimeError("cannot submit a call after shutdown")
            reference = self._task.remote(work, arguments, options)
            self._unfinished.add(future)
            reference.future().add_done_callback(partial(self._settle, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks; `cancel_futures` ends them instead, by disconnecting from the cluster.

        As long as other executors of this process are open, their tasks must go on, and the cancelled ones do too.
        `ray.cancel` would end a single task, but aborts this process when the task ends at the same moment: ray issue
        54260.
        """
        with deferred_interrupts(), _LOCK:
            _open.discard(self)
            cancelled = [future.cancel() for future in list(self._unfinished)] if cancel_futures else []
            if any(cancelled) and not _open:
                disconnect()
        if wait:
            futures.wait([future for future in list(self._unfinished) if not future.cancelled()])

    def _settle(self, future: Future[Any], ended: Future[Any]) -> None:
        """Take over how a task ended (runs in a thread of Ray)."""
        if future.set_running_or_notify_cancel():
            error = ended.exception()
            if error is None:
                future.set_result(ended.result())
            else:
                future.set_exception(_as_raised(error))
        self._unfinished.discard(future)


def kept_here(thing: Any, executor: Executor) -> Any:
    """Return `thing` as tasks of the executor can use it where it must stay on this machine: a file of SQLite."""
    return keep_here(thing, connect().util.get_node_ip_address()) if isinstance(executor, RayExecutor) else thing


def _as_raised(error: BaseException) -> Any:
    """Return what the function raised, out of Ray's error around it; BrokenProcessPool where its process died."""
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):
        if isinstance(error.cause, FileNotFoundError):
            text = f"a node does not find {error.cause.filename}; `darkroom doctor` checks what the nodes see"
            return UserError(text, 1)
        return error.cause
    if isinstance(error, exceptions.WorkerCrashedError | exceptions.NodeDiedError | exceptions.OutOfMemoryError):
        return BrokenProcessPool(str(error))
    return UserError(f"Ray could not run a task: {' '.join(str(error).split())}", 1)


def _call(work: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call the function (runs on a node)."""
    silence_libraries()
    return work(*arguments, **options)
