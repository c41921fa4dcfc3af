"""Calls in order, tasks side by side in threads, and calls that are made again when their process dies."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from darkroom.execution.processes import Died, Killed

R = TypeVar("R")
Task = Callable[[int], R]  # gets the number of its slot, from 0
AHEAD = 4  # calls for each worker of an executor that are submitted before the first of them has been yielded


def in_order(executor: Executor, calls: Iterable[Callable[[], R]]) -> Iterator[R]:
    """Yield what each call returns, in the order of `calls`, which an executor makes.

    A call is asked for when there is room: a few for each worker wait, run or have a result at a time, so that memory
    does not grow with their number. When this is interrupted, or a call raises, the others are cancelled.
    """
    most, pending = AHEAD * max(1, _workers(executor)), deque[Future[R]]()
    try:
        for call in calls:
            pending.append(executor.submit(call))
            if len(pending) == most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _workers(executor: Executor) -> int:
    """Return how many calls an executor makes at a time; those of the standard library, and ours, have this."""
    return int(getattr(executor, "_max_workers", os.cpu_count() or 1))


def side_by_side(tasks: Iterable[Task[R]], slots: int) -> Iterator[R]:
    """Run tasks in threads, at most `slots` at a time; yield their results as they end.

    The next task is asked for, in this thread, when a slot is free and the results so far have been yielded. When this
    is interrupted, or a task raises, no other one begins; whoever made the tasks ends those that run.
    """
    free, running, waiting = deque(range(slots)), dict[Future[R], int](), iter(tasks)
    threads = ThreadPoolExecutor(slots)
    try:
        while True:
            while free and (task := next(waiting, None)):
                slot = free.popleft()
                running[threads.submit(task, slot)] = slot
            if not running:
                return
            ended = wait(running, return_when=FIRST_COMPLETED).done
            for future in [future for future in running if future in ended]:
                free.append(running.pop(future))
                yield future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def retry_if_died(call: Callable[[], R]) -> R:
    """Return the result of a call, made once more when its process died before it had one.

    Raises Died the second time: a first kill may have been anybody's, a second one of the same work is its memory.
    """
    with suppress(Died):
        return call()
    return call()


def reason_of(error: Exception) -> str:
    """Return in words why there is no result, when `retry_if_died` raised this."""
    if isinstance(error, Killed):
        return "killed twice; it probably ran out of memory"
    return f"{error}, twice" if isinstance(error, Died) else str(error)
