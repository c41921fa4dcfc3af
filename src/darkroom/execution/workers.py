"""The pool of processes that work on many pictures at once."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.forkserver import ensure_running, set_forkserver_preload
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any, TypeVar, cast

from darkroom.core.errors import UserError
from darkroom.execution.interrupts import deferred_interrupts

R = TypeVar("R")


def prepare_workers(*modules: str) -> None:
    """Start the fork server, which imports `modules` while the caller does other things.

    A fork of the caller would copy the locks of its libraries' threads; a new process for each worker would import
    everything again.
    """
    set_forkserver_preload(list(modules))
    _start_server()


def _start_server() -> None:
    """Start the fork server with Ctrl-C blocked, which it would answer with a traceback.

    It inherits the mask of signals. A Ctrl-C in between is delivered afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def worker_pool() -> Iterator[Executor]:
    """Yield one process for each core that this process may use: its affinity, the limit of its container.

    Functions take an executor as an argument, so that one of a cluster can replace it. Raises UserError when a process
    is killed.
    """
    _start_server()
    from joblib import cpu_count

    with _Pool(cpu_count(), get_context("forkserver"), _start_worker) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise UserError(
                "a worker process was killed; it probably ran out of memory: use a machine with more memory",
                1,
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all waiting work would be done first
            raise


class _Pool(ProcessPoolExecutor):
    """A pool that is not interrupted while it asks for a process: the fork server would print a traceback."""

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        """Submit work; each of the first calls starts a process."""
        with deferred_interrupts():
            return super().submit(*arguments, **options)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, which reports it once, and end when the parent is killed (runs in a worker)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def call_in_process(function: Callable[..., R], *arguments: Any) -> R:
    """Return what `function` returns when it is called in a process of its own, which gives back all its memory.

    Function, arguments and result are pickled; so is an exception, which is raised here. The process is ended when this
    one is interrupted. Raises UserError when it was killed.
    """
    _start_server()
    context = get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(sender, function, arguments))
    with deferred_interrupts():
        process.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        killed = process.exitcode == -signal.SIGKILL
        reason = "was killed; it probably ran out of memory" if killed else f"ended with status {process.exitcode}"
        raise UserError(f"a process {reason}", 1) from None
    finally:
        process.terminate()
        process.join()
    if error:
        raise error
    return cast(R, result)


def _send_result(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Send what the function returns, or raises (runs in the process)."""
    _start_worker()
    try:
        outcome = bytes(ForkingPickler.dumps((function(*arguments), None)))
    except Exception as error:
        outcome = _pickled_error(error)
    sender.send_bytes(outcome)


def _pickled_error(error: Exception) -> bytes:
    """Return no result and the error, or its text where it does not survive being pickled."""
    with suppress(Exception):
        outcome = bytes(ForkingPickler.dumps((None, error)))
        ForkingPickler.loads(outcome)
        return outcome
    return bytes(ForkingPickler.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"))))
