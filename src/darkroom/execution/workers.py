"""The pool of processes that work on many pictures at once."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, InvalidStateError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.forkserver import ensure_running, set_forkserver_preload
from multiprocessing.resource_tracker import ensure_running as start_resource_tracker
from threading import Thread
from typing import Any

from darkroom.core.errors import UserError
from darkroom.execution.cluster import on_cluster
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.ray_executor import RayExecutor


def prepare_workers(*modules: str) -> None:
    """Start the fork server, which imports `modules` while the caller does other things.

    A fork of the caller would copy the locks of its libraries' threads; a new process for each worker would import
    everything again.
    """
    set_forkserver_preload(list(modules))
    start_server()


def start_server() -> None:
    """Start the fork server with Ctrl-C blocked, which it would answer with a traceback.

    It inherits the mask of signals. A Ctrl-C in between is delivered afterwards.
    """
    start_resource_tracker()  # which the server would start, and thereby unblock Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def worker_pool() -> Iterator[Executor]:
    """Yield one process for each core that this process may use: its affinity, the limit of its container.

    Where RAY_ADDRESS names a cluster, the processes are those of its nodes. Functions take an executor as an argument,
    and do not see the difference. Raises UserError when a process is killed.
    """
    with RayExecutor() if on_cluster() else _local_pool() as pool:
        try:
            yield pool
        except BaseException as error:
            pool.shutdown(cancel_futures=True)  # else all waiting work would be done first
            if not isinstance(error, BrokenProcessPool):
                raise
            advice = "it probably ran out of memory: use a machine with more memory"
            raise UserError(f"a worker process was killed; {advice}", 1) from None


def _local_pool() -> Executor:
    start_server()
    from joblib import cpu_count

    return _Pool(cpu_count(), get_context("forkserver"), start_worker)


class _Future(Future[Any]):
    """A future that may have been cancelled when the pool fails.

    The pool of Python 3.11 would not expect that: its thread would die, and the process wait for ever at its end.
    """

    def set_exception(self, exception: BaseException | None) -> None:
        """Set it unless the future was cancelled."""
        with suppress(InvalidStateError):
            super().set_exception(exception)


class _Pool(ProcessPoolExecutor):
    """A pool that is not interrupted while it asks for a process: the fork server would print a traceback."""

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        """Submit work; each of the first calls starts a process."""
        with deferred_interrupts():
            future = super().submit(*arguments, **options)
            future.__class__ = _Future
        return future


def start_worker() -> None:
    """Leave Ctrl-C to the parent, which reports it once, and end when the parent is killed (runs in a worker)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
