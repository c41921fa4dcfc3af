"""Batches of pictures in the order that a seed gives."""

import keras
import numpy as np

from darkroom.data.pixels import Examples


class Batches(keras.utils.PyDataset):
    """Batches of (pixels uint8 (n, size, size, 3), labels int32 (n,)); shuffled anew each epoch when seeded.

    The order of an epoch depends on the seed and the epoch's number only.
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

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return batch `index`."""
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.examples.pixels[self.examples.rows[chosen]], self.examples.labels[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        self._order = self._shuffled()

    def _shuffled(self) -> np.ndarray:
        if self.seed is None:
            return np.arange(len(self.examples))
        return np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples))
