"""The processes that work over many pictures."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.forkserver import ensure_running, set_forkserver_preload
from threading import Thread
from typing import Any

from darkroom.core.errors import UserError
from darkroom.execution.interrupts import deferred_interrupts


def prepare_workers(*modules: str) -> None:
    """Start the process that workers are forked from; it imports `modules` while the caller does other things.

    A fork of the caller itself would copy the locks of its libraries' threads; a process started anew for each worker
    would import everything again.
    """
    set_forkserver_preload(list(modules))
    _start_server()


def _start_server() -> None:
    """Start the process that workers are forked from, without Ctrl-C, which it would answer with a traceback.

    It takes over the mask of signals; one that comes meanwhile waits.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def worker_pool() -> Iterator[Executor]:
    """Yield one process for each core that this process may use.

    Functions take an executor as an argument, so that a cluster's can stand in for this one.
    """
    _start_server()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with _Pool(cores, get_context("forkserver"), _start_worker) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise UserError("a worker process was killed, perhaps for want of memory", 1) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all that is waiting would be done first
            raise


class _Pool(ProcessPoolExecutor):
    """A pool that is not interrupted while it asks for a process: the one that forks it would print a traceback."""

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        """Give work to a process, of which the first calls start one each."""
        with deferred_interrupts():
            return super().submit(*arguments, **options)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, which says it once, and end when the parent is killed (runs in a worker)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
