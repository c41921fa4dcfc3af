"""From files to answers: threads read and decode ahead, the network answers batch after batch, in order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.serving.inputs import Picture
from darkroom.serving.rows import Row, make_row

if TYPE_CHECKING:
    from darkroom.package.answers import Answers

AHEAD = 2  # batches decoded, or being decoded, for each thread while the network works on another


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
    """Yield the row of each picture, in order."""
    for batch in decoded(pictures, answers):
        for picture, reply, error in zip(batch.pictures, answer(batch, answers), batch.errors, strict=True):
            yield make_row(picture.path, reply, error, top)


def decoded(pictures: Iterable[Picture], answers: "Answers", keep_bytes: bool = False) -> Iterator[Batch]:
    """Yield the pictures decoded, in batches of as many as the network sees at once, in order.

    Reading and decoding release Python's lock, so threads do: for small pictures one of them is as quick as two
    processes, which would have to send the pixels. Memory holds a few batches, however many pictures there are.
    """
    from joblib import cpu_count

    threads = cpu_count()
    batches, waiting = batched(pictures, answers.at_once), deque[Future[Batch]]()
    pool = ThreadPoolExecutor(threads, "decode")
    try:
        for batch in islice(batches, AHEAD * threads):
            waiting.append(pool.submit(_decode, batch, answers, keep_bytes))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(_decode, batch, answers, keep_bytes) for batch in islice(batches, 1))
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
