"""The processes that work over many pictures."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


@contextmanager
def worker_pool() -> Iterator[Executor]:
    """Yield one process for each core that this process may use.

    Spawned, because a fork copies the locks of the libraries' threads. Functions take an executor
    as an argument, so that a cluster's can stand in for this one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        yield pool
