"""The pictures of a search: train and validation, brought to the size that a candidate asks for."""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

import pandas as pd

from darkroom.core.files import digest
from darkroom.examples.pixels import Examples, load_examples
from darkroom.execution.workers import worker_pool
from darkroom.params.declared import DeclaredParams
from darkroom.train.debug import debug_data

SPLITS = ("train", "validation")  # never test, by which nothing is chosen
Load = Callable[[DeclaredParams], dict[str, Examples]]


@contextmanager
def picture_loader(images: Path, splits: pd.DataFrame, params: DeclaredParams) -> Iterator[Load]:
    """Yield a function that gives a candidate its pictures; several threads may call it.

    They are loaded once for each setting of the section image, and `debug` leaves the same ones to all candidates.
    Leaving the block stops a thread that still decodes, where Ctrl-C does not arrive.
    """
    known: dict[str, dict[str, Examples]] = {}
    lock, pools, left = Lock(), list[Executor](), Event()

    def raise_if_left() -> None:
        if left.is_set():
            raise CancelledError

    def load(candidate: DeclaredParams) -> dict[str, Examples]:
        key = digest(candidate.flat(["image"]))
        with lock:
            if key not in known:
                raise_if_left()  # while this thread waited for another one
                with worker_pool() as pool:
                    pools.append(pool)
                    raise_if_left()  # while the pool started
                    known[key] = debug_data(load_examples(images, splits, candidate.image, SPLITS, pool), params)
            return known[key]

    try:
        yield load
    finally:
        left.set()
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
