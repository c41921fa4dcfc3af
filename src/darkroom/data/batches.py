"""Batches of pictures in the order that a seed gives."""

from typing import Protocol

import keras
import numpy as np

from darkroom.data.pixels import Examples


class Vary(Protocol):
    """Changes a batch: pixels uint8, one-hot targets, the rows of the pictures, the numbers of epoch and batch."""

    def vary(
        self, pixels: np.ndarray, targets: np.ndarray, rows: np.ndarray, epoch: int, batch: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the changed pixels and targets."""


class Batches(keras.utils.PyDataset):
    """Batches of (pixels (n, size, size, 3), targets float32 (n, classes)); shuffled anew each epoch when seeded.

    Pixels are uint8 as decoded, or what `variation` makes of them. Examples with weights give them, float32 (n,), as
    a third, and Keras weighs the loss with them. What an epoch holds depends on the seed and the epoch's number only.
    """

    def __init__(
        self, examples: Examples, batch_size: int, seed: int | None = None, variation: Vary | None = None
    ) -> None:
        super().__init__()
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        self.variation = variation
        self._one_hot = np.eye(len(examples.classes), dtype=np.float32)
        self.start_at(0)

    def __len__(self) -> int:
        """Return the number of batches of an epoch, the last one may be smaller."""
        return -(-len(self.examples) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return batch `index`."""
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        rows = self.examples.rows[chosen]
        pixels, targets = self.examples.pixels[rows], self._one_hot[self.examples.labels[chosen]]
        if self.variation:
            pixels, targets = self.variation.vary(pixels, targets, rows, self.epoch, index)
        weights = self.examples.weights
        return (pixels, targets) if weights is None else (pixels, targets, weights[chosen])

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.start_at(self.epoch + 1)

    def start_at(self, epoch: int) -> None:
        """Go to the order of `epoch`, counted from 0."""
        self.epoch = epoch
        self._order = self._shuffled()

    def _shuffled(self) -> np.ndarray:
        if self.seed is None:
            return np.arange(len(self.examples))
        return np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples))
