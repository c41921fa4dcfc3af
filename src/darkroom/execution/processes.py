"""Calls in processes of their own, which give back all their memory, and which may ask the caller while they work."""

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from darkroom.core.errors import UserError
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.workers import start_server, start_worker

R = TypeVar("R")
Answer = Callable[[Any], Any]


class Died(UserError):
    """A process ended before it had a result."""


class Killed(Died):
    """A process was killed, probably because memory ran out."""


class Processes:
    """Calls functions in processes of their own, several at once when several threads call.

    A context manager: those that still run when the block is left, as on Ctrl-C, are ended.
    """

    def __init__(self) -> None:
        self._running: set[BaseProcess] = set()
        self._lock = Lock()
        self._closed = False

    def __enter__(self) -> Self:
        """Start the server that makes the processes."""
        start_server()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what still runs; the calls that wait for it raise UserError."""
        with self._lock:
            self._closed = True
            for process in list(self._running):  # calls that end meanwhile take theirs out
                process.terminate()

    def call(self, function: Callable[..., R], *arguments: Any, answer: Answer | None = None) -> R:
        """Return what `function` returns when it is called in a process of its own.

        Function, arguments and result are pickled; so is an exception, which is raised here. With `answer`, the
        function gets one argument more, a function that asks this process: it returns what `answer` says. The process
        is ended when this call is interrupted. Raises Died, and Killed when it was killed.
        """
        ours, theirs = get_context("forkserver").Pipe()
        process = get_context("forkserver").Process(
            target=_send_result, args=(theirs, function, arguments, answer is not None)
        )
        self._start(process)
        theirs.close()
        try:
            kind, value = _converse(ours, answer)
        except (EOFError, ConnectionError):  # it has died, perhaps while it waited for an answer
            process.join()
            raise _ended_early(process.exitcode) from None
        finally:
            process.terminate()
            process.join()
            self._running.discard(process)
        if kind == "error":
            raise value
        return cast(R, value)

    def _start(self, process: BaseProcess) -> None:
        with self._lock, deferred_interrupts():  # the fork server serves one at a time
            if self._closed:
                raise UserError("a process was not started, as another call had failed", 1)
            process.start()
            self._running.add(process)


def call_in_process(function: Callable[..., R], *arguments: Any) -> R:
    """Return what `function` returns in a process of its own, as `Processes.call` does, alone."""
    with Processes() as processes:
        return processes.call(function, *arguments)


def _converse(connection: Connection, answer: Answer | None) -> tuple[str, Any]:
    """Answer what the process asks; return "result" and what it returned, or "error" and what it raised."""
    while True:
        kind, value = connection.recv()
        if kind != "question":
            return kind, value
        assert answer is not None
        connection.send(answer(value))


def _ended_early(status: int | None) -> UserError:
    if status == -signal.SIGKILL:
        return Killed("a process was killed; it probably ran out of memory", 1)
    kind = UserError if status == -signal.SIGTERM else Died  # the first: ended from here
    return kind(f"a process ended with status {status}", 1)


def _send_result(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...], asks: bool) -> None:
    """Send what the function returns, or raises (runs in the process)."""
    start_worker()

    def ask(question: Any) -> Any:
        connection.send(("question", question))
        return connection.recv()

    call = partial(function, *arguments, ask) if asks else partial(function, *arguments)
    message = outcome(call)
    with suppress(ConnectionError):  # the caller was killed, and nobody is there to read a traceback
        connection.send_bytes(message)


def outcome(call: Callable[[], Any]) -> bytes:
    """Return, pickled, "result" and what the call returns, or "error" and what it raises."""
    try:
        return bytes(ForkingPickler.dumps(("result", call())))
    except Exception as error:
        return _pickled_error(error)


def _pickled_error(error: Exception) -> bytes:
    """Return the error as a message, or its text where it does not survive being pickled."""
    with suppress(Exception):
        message = bytes(ForkingPickler.dumps(("error", error)))
        ForkingPickler.loads(message)
        return message
    return bytes(ForkingPickler.dumps(("error", RuntimeError(f"{type(error).__name__}: {error}"))))
