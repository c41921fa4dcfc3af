"""Progress of long work: a bar on a terminal, log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")  # Python 3.11 has no `def progress[T]`

SECONDS_BETWEEN_LINES = 5.0
logger = logging.getLogger(__name__)


def progress(items: Iterable[T], total: int | None, label: str) -> Iterator[T]:
    """Yield `items` and show how many of `total`, which may be unknown, are done."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=label, leave=False)
        return
    last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            logger.info("%s: %d%s", label, done, "" if total is None else f" of {total}")


def epoch_verbosity() -> int:
    """Return Keras's `verbose`: 1 (a bar) on a terminal, 2 (one line per epoch) elsewhere."""
    return 1 if sys.stdout.isatty() else 2
