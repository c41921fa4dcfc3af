"""Batches of pictures in the order that a seed gives."""

import keras
import numpy as np

from darkroom.data.pixels import Examples


class Batches(keras.utils.PyDataset):
    """Batches of (pixels uint8 (n, size, size, 3), labels int32 (n,)); shuffled anew each epoch when seeded.

    Examples with weights give them, float32 (n,), as a third, and Keras weighs the loss with them. The order of an
    epoch depends on the seed and the epoch's number only.
    """

    def __init__(self, examples: Examples, batch_size: int, seed: int | None = None) -> None:
        super().__init__()
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self._order = self._shuffled()

    def __len__(self) -> int:
        """Return the number of batches of an epoch, the last one may be smaller."""
        return -(-len(self.examples) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return batch `index`."""
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        pixels, labels = self.examples.pixels[self.examples.rows[chosen]], self.examples.labels[chosen]
        weights = self.examples.weights
        return (pixels, labels) if weights is None else (pixels, labels, weights[chosen])

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        self._order = self._shuffled()

    def _shuffled(self) -> np.ndarray:
        if self.seed is None:
            return np.arange(len(self.examples))
        return np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples))
