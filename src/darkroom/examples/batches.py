"""Batches of pictures in the order that a seed gives."""

from typing import Protocol

import keras
import numpy as np

from darkroom.examples.pixels import Examples

BYTES_AT_ONCE = 2_000_000  # of pixels made together: for small batches the calls cost more than the work


class Vary(Protocol):
    """What changes pictures on their way into a network: augmentation, corruption."""

    def vary(
        self, pixels: np.ndarray, targets: np.ndarray, rows: np.ndarray, epoch: int, part: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the changed pixels (n, side, side, 3), uint8 or float32 0-255, and targets (n, classes) float32.

        `pixels` is uint8, `targets` one-hot; `rows` (n,) int64 names the pictures, `epoch` and `part` count from 0.
        """


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return pictures (n, height, width, 3) scaled down to (n, side, side, 3); pixels are means of areas."""
    import cv2

    small = np.empty((len(pixels), side, side, pixels.shape[3]), pixels.dtype)
    for picture, target in zip(pixels, small, strict=True):
        cv2.resize(picture, (side, side), dst=target, interpolation=cv2.INTER_AREA)
    return small


class Batches(keras.utils.PyDataset):
    """Batches of (pixels (n, size, size, 3), targets float32 (n, classes)); shuffled anew each epoch when seeded.

    All are of the same size, `batch_size` or a little less, give or take a picture: a small last batch would weigh as
    much as a whole one. Pixels are uint8 as decoded, or what `variation` makes of them, scaled down to `side` when that
    is given. Weights of the examples come as a third array, float32 (n,), with which Keras weighs the loss. An epoch
    depends on the seed and its number only.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        seed: int | None = None,
        variation: Vary | None = None,
        side: int | None = None,
    ) -> None:
        super().__init__()
        self.examples = examples
        self.seed = seed
        self.variation = variation
        self.side = side
        self._one_hot = np.eye(len(examples.classes), dtype=np.float32)
        self._made: tuple[np.ndarray, ...] = ()
        self._part = -1  # none has been made
        batches = -(-len(examples) // batch_size)
        self._bounds = np.arange(batches + 1) * len(examples) // max(batches, 1)
        self.at_once = max(BYTES_AT_ONCE // (examples.pixels[0].nbytes * batch_size), 1)  # batches
        self.start_at(0)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return batch `index`."""
        part = index // self.at_once
        if part != self._part:
            self._part, self._made = part, self._make(part)
        start, end = self._bounds[index : index + 2] - self._bounds[part * self.at_once]
        return tuple(values[start:end] for values in self._made)

    def _make(self, part: int) -> tuple[np.ndarray, ...]:
        """Return the `at_once` batches of part `part` as one."""
        bounds = self._bounds[part * self.at_once :][: self.at_once + 1]
        chosen = self._order[bounds[0] : bounds[-1]]
        rows = self.examples.rows[chosen]
        pixels, targets = self.examples.pixels[rows], self._one_hot[self.examples.labels[chosen]]
        weights = self.examples.weights
        if weights is not None:
            targets = np.column_stack([targets, weights[chosen]])  # mixed as the pictures are
        if self.variation:
            pixels, targets = self.variation.vary(pixels, targets, rows, self.epoch, part)
        if self.side:
            pixels = shrunk(pixels, self.side)
        return (pixels, targets) if weights is None else (pixels, targets[:, :-1], targets[:, -1])

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.start_at(self.epoch + 1)

    def start_at(self, epoch: int) -> None:
        """Take the order of `epoch`, counted from 0."""
        self.epoch = epoch
        self._order = self._shuffled()
        self._part = -1  # none has been made

    def _shuffled(self) -> np.ndarray:
        if self.seed is None:
            return np.arange(len(self.examples))
        return np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples))
