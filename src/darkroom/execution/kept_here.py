"""What must stay on this machine, such as a file of SQLite, for tasks on others: they call it through the network."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Client, Listener
from threading import Thread
from typing import Any


class StandIn:
    """Has the methods of something that is kept on another machine; small, and travels with a task.

    A call raises what the method raises, and OSError when nothing answers.
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


def keep_here(thing: Any, host: str) -> StandIn:
    """Return a stand-in for `thing`, whose methods a thread of this process calls as long as it runs.

    `host` is the address of this machine. Only who has the stand-in, with its key, is answered; one call at a time.
    """
    key = secrets.token_bytes(32)
    listener = Listener((host, 0), backlog=128, authkey=key)
    Thread(target=_serve, args=(listener, thing), daemon=True).start()
    return StandIn(listener.address, key)


def _serve(listener: Listener, thing: Any) -> None:
    while True:
        with suppress(Exception), listener.accept() as connection:  # whoever has no key, or was killed meanwhile
            method, arguments = connection.recv()
            try:
                answer = True, getattr(thing, method)(*arguments)
            except Exception as error:
                answer = False, error
            connection.send(answer)
