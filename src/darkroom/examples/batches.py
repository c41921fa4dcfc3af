"""Batches of pictures in the order that a seed gives."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from darkroom.examples.pixels import Examples

if TYPE_CHECKING:
    import tensorflow as tf

BYTES_AT_ONCE = 2_000_000  # of pixels made together: for small batches the calls cost more than the work
MOST_THREADS = 8  # that make batches for a GPU

Batch = tuple[np.ndarray, ...]


class Vary(Protocol):
    """What changes pictures on their way into a network: augmentation, corruption."""

    def vary(
        self, pixels: np.ndarray, targets: np.ndarray, rows: np.ndarray, epoch: int, part: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the changed pixels (n, side, side, 3), uint8 or float32 0-255, and targets (n, classes) float32.

        `pixels` is uint8, `targets` one-hot; `rows` (n,) int64 names the pictures, `part` counts from 0.
        """


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return pictures (n, height, width, 3) scaled down to (n, side, side, 3); pixels are means of areas."""
    import cv2

    small = np.empty((len(pixels), side, side, pixels.shape[3]), pixels.dtype)
    for picture, target in zip(pixels, small, strict=True):
        cv2.resize(picture, (side, side), dst=target, interpolation=cv2.INTER_AREA)
    return small


class Batches:
    """Batches of (pixels (n, size, size, 3), targets float32 (n, classes)); shuffled anew each epoch when seeded.

    All are of the same size, `batch_size` or a little less, give or take a picture: a small last batch would weigh as
    much as a whole one. Pixels are uint8 as decoded, or what `variation` makes of them, scaled down to `side` when that
    is given. Weights of the examples come as a third array, float32 (n,), with which Keras weighs the loss. An epoch
    depends on the seed and its number only. Threads make batches ahead of their use.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        seed: int | None = None,
        variation: Vary | None = None,
        side: int | None = None,
    ) -> None:
        self.examples = examples
        self.seed = seed
        self.variation = variation
        self.side = side
        self.epoch = 0  # a training counts its epochs from 1
        self._one_hot = np.eye(len(examples.classes), dtype=np.float32)
        batches = -(-len(examples) // batch_size)
        self._bounds = np.arange(batches + 1) * len(examples) // max(batches, 1)
        self.at_once = max(BYTES_AT_ONCE // (examples.pixels[0].nbytes * batch_size), 1)  # batches

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self._bounds) - 1

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of the epoch."""
        make, parts = partial(self._make, self.epoch, self._order()), range(-(-len(self) // self.at_once))
        for part, made in enumerate(_made_ahead(make, parts)):
            bounds = self._part_bounds(part)
            for start, end in pairwise(bounds - bounds[0]):
                yield tuple(values[start:end] for values in made)

    def dataset(self) -> "tf.data.Dataset":
        """Return the batches as Keras takes them; each pass over it is of the epoch that is set when it begins."""
        import tensorflow as tf

        chosen = self._order()[:1]
        like = [tf.TensorSpec((None, *values.shape[1:]), values.dtype) for values in self._make_of(chosen, 0, 0)]
        options = tf.data.Options()
        # TensorFlow 2.21: the thread that tunes sleeps up to a minute, and the end of an epoch may wait for it
        options.autotune.enabled = False
        batches = tf.data.Dataset.from_generator(self.__iter__, output_signature=tuple(like))
        counted = batches.apply(tf.data.experimental.assert_cardinality(len(self)))
        return counted.prefetch(self.at_once).with_options(options)

    def _part_bounds(self, part: int) -> np.ndarray:
        """Return where the batches of part `part` begin, and where the last one ends."""
        return self._bounds[part * self.at_once :][: self.at_once + 1]

    def _make(self, epoch: int, order: np.ndarray, part: int) -> Batch:
        """Return the `at_once` batches of part `part` as one."""
        bounds = self._part_bounds(part)
        return self._make_of(order[bounds[0] : bounds[-1]], epoch, part)

    def _make_of(self, chosen: np.ndarray, epoch: int, part: int) -> Batch:
        """Return the examples `chosen` as one batch, varied as those of part `part`."""
        rows = self.examples.rows[chosen]
        pixels, targets = self.examples.pixels[rows], self._one_hot[self.examples.labels[chosen]]
        weights = self.examples.weights
        if weights is not None:
            targets = np.column_stack([targets, weights[chosen]])  # mixed as the pictures are
        if self.variation:
            pixels, targets = self.variation.vary(pixels, targets, rows, epoch, part)
        if self.side:
            pixels = shrunk(pixels, self.side)
        return (pixels, targets) if weights is None else (pixels, targets[:, :-1], targets[:, -1])

    def _order(self) -> np.ndarray:
        if self.seed is None:
            return np.arange(len(self.examples))
        return np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples))


def _made_ahead(make: Callable[[int], Batch], parts: Iterable[int]) -> Iterator[Batch]:
    """Yield what `make` returns for each part, in their order; threads make the next ones meanwhile."""
    upcoming, threads = iter(parts), _threads()
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(make, part) for part in islice(upcoming, 1 + threads))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(make, part) for part in islice(upcoming, 1))
            yield made


@cache
def _threads() -> int:
    """Return how many threads make batches: one, or with a GPU, which leaves the cores free, most of the cores."""
    import tensorflow as tf
    from joblib import cpu_count

    return min(max(cpu_count() - 1, 1), MOST_THREADS) if tf.config.list_physical_devices("GPU") else 1
