"""The processes that work over many pictures."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from darkroom.errors import UserError


@contextmanager
def worker_pool() -> Iterator[Executor]:
    """Yield one process for each core that this process may use.

    Spawned, because a fork copies the locks of the libraries' threads. Functions take an executor
    as an argument, so that a cluster's can stand in for this one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    ignore_interrupt = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is said once, by the parent
    with ProcessPoolExecutor(cores, get_context("spawn"), signal.signal, ignore_interrupt) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise UserError("a worker process was killed, perhaps for want of memory", 1) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all that is waiting would be done first
            raise
