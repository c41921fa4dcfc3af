"""The training pictures that are measured: enough for a percent, the same ones in every report."""

from dataclasses import replace

import numpy as np

from darkroom.examples.pixels import Examples

LARGEST_TRAIN = 10_000  # pictures: the accuracy is known to a percent then, and all of them would take long


def sample_train(train: Examples, parts: int = 1) -> Examples:
    """Return LARGEST_TRAIN pictures at most, taken evenly; their order, that of the ids, is as good as drawn.

    Where several train splits are measured together, `parts` of them share that number.
    """
    count = LARGEST_TRAIN // parts
    if len(train) <= count:
        return train
    chosen = evenly(len(train), count)
    return replace(train, rows=train.rows[chosen], labels=train.labels[chosen], weights=None, copies=None)


def evenly(count: int, wanted: int) -> np.ndarray:
    """Return up to `wanted` of `count` rows (n,) int64, taken evenly."""
    taken = min(count, wanted)
    return np.arange(taken) * count // max(taken, 1)
