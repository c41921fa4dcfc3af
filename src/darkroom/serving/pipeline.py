"""From files to answers: threads read and decode ahead, the network answers batch after batch, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from darkroom.serving.inputs import Picture
from darkroom.serving.rows import Row, make_row

if TYPE_CHECKING:
    from darkroom.package.answers import Answers

AHEAD = 2  # items waiting for, or worked on by, each thread
T = TypeVar("T")  # Python 3.11 has no `def mapped[T, R]`
R = TypeVar("R")


@dataclass(frozen=True)
class Batch:
    """Pictures, and what is known of each: bytes, pixels (size, size, 3) uint8, answer; or why there is none.

    Bytes are kept on request only.
    """

    pictures: list[Picture]
    data: list[bytes]
    pixels: list[np.ndarray | None]
    errors: list[str | None]


def predicted(pictures: Iterable[Picture], answers: "Answers", top: int) -> Iterator[Row]:
    """Yield the row of each picture, in order.

    As many batches are answered at a time as there are cores, two at least: a served network uses few of them, and
    what is behind it is done by one.
    """
    from joblib import cpu_count

    def rows(batch: Batch) -> list[Row]:
        replies = zip(batch.pictures, answer(batch, answers), batch.errors, strict=True)
        return [make_row(picture.path, reply, error, top) for picture, reply, error in replies]

    yield from chain.from_iterable(mapped(rows, decoded(pictures, answers), max(2, cpu_count())))


def decoded(pictures: Iterable[Picture], answers: "Answers", keep_bytes: bool = False) -> Iterator[Batch]:
    """Yield the pictures decoded, in batches of as many as the network sees at once, in order.

    Threads do it, since reading and decoding release Python's lock: for small pictures one of them is as quick as two
    processes, which would have to send the pixels.
    """
    from joblib import cpu_count

    return mapped(
        partial(_decode, answers=answers, keep_bytes=keep_bytes), batched(pictures, answers.at_once), cpu_count()
    )


def mapped(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Yield `function` of each item, in order, computed in threads; at most AHEAD items for each are in memory."""
    remaining, waiting = iter(items), deque[Future[R]]()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in islice(remaining, AHEAD * threads):
            waiting.append(pool.submit(function, item))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(remaining, 1))
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


def batched(items: Iterable[Picture], size: int) -> Iterator[list[Picture]]:
    """Yield lists of `size` items; the last may be shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _decode(pictures: list[Picture], answers: "Answers", keep_bytes: bool) -> Batch:
    """Read and decode pictures; one that cannot be has the reason (runs in a thread)."""
    batch = Batch(pictures, [], [], [])
    for picture in pictures:
        data, pixels, error = b"", None, None
        try:
            data = picture.read()
            pixels = answers.decode(data)
        except OSError as problem:
            error = f"cannot be read: {problem.strerror or problem}"
        except (ValueError, MemoryError) as problem:
            error = str(problem) or "too large for the memory left"
        batch.data.append(data if keep_bytes else b"")
        batch.pixels.append(pixels)
        batch.errors.append(error)
    return batch


def answer(batch: Batch, answers: "Answers") -> list[dict[str, Any] | None]:
    """Return the answer on each picture of a batch; None for one that cannot be read."""
    known = [pixels for pixels in batch.pixels if pixels is not None]
    found = iter(answers.answer_pixels(np.stack(known)) if known else [])
    return [None if pixels is None else next(found) for pixels in batch.pixels]
