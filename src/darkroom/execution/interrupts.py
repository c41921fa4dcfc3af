"""Ctrl-C at a better moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any


@contextmanager
def interrupted_later() -> Iterator[None]:
    """Put Ctrl-C off to the end of the block; a second one interrupts at once. Other threads never get it."""
    if current_thread() is not main_thread():
        yield
        return
    noted: list[int] = []

    def note(number: int, _: Any) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if noted:
        raise KeyboardInterrupt
