"""What must stay on this machine, such as a file of SQLite, for tasks on others: they call it through the network."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from threading import Thread
from typing import Any


class StandIn:
    """Has the methods of something that is kept on another machine; small, and travels with a task.

    A call raises what the method raises, and OSError or EOFError when nothing answers.
    """

    def __init__(self, address: Any, key: bytes) -> None:
        self._address, self._key = address, key

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return what calls the method there."""
        if method.startswith("_"):  # of pickling and copying
            raise AttributeError(method)
        return partial(self._ask, method)

    def _ask(self, method: str, *arguments: Any) -> Any:
        with Client(self._address, authkey=self._key) as connection:
            connection.send((method, arguments))
            succeeded, value = connection.recv()
        if not succeeded:
            raise value
        return value


class _Server:
    """Answers each connection in a thread of its own, so that a silent one stops no other; one call at a time."""

    def __init__(self, thing: Any, host: str) -> None:
        self.key = secrets.token_bytes(32)
        self.listener = Listener((host, 0), backlog=128)
        self._thing, self._caller = thing, ThreadPoolExecutor(1)
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection = self.listener.accept()
            Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        with suppress(Exception), connection:  # whoever has no key, or was killed meanwhile
            deliver_challenge(connection, self.key)
            answer_challenge(connection, self.key)
            method, arguments = connection.recv()
            connection.send(self._caller.submit(_outcome, getattr(self._thing, method), arguments).result())


def _outcome(method: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, method(*arguments)
    except Exception as error:
        return False, error


def keep_here(thing: Any, host: str) -> StandIn:
    """Return a stand-in for `thing`, whose methods threads of this process call as long as it runs.

    `host` is the address of this machine. Only who has the stand-in, with its key, is answered.
    """
    server = _Server(thing, host)
    return StandIn(server.listener.address, server.key)
