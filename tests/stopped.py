"""An executor that is interrupted, as by Ctrl-C, after some calls."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Stopped(Executor):
    """Makes some calls at once, and then is interrupted."""

    def __init__(self, most: int) -> None:
        self.most, self.made = most, 0

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        if self.made == self.most:
            raise KeyboardInterrupt
        self.made += 1
        done: Future[Any] = Future()
        done.set_result(work(*arguments, **options))
        return done
