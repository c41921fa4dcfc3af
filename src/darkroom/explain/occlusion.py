"""Which parts of a picture the answer needs, found by covering them: for few, small pictures."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

PATCH, STRIDE = 1 / 4, 1 / 8  # of the side


def occlusion_maps(network: "keras.Model", pixels: np.ndarray, classes: np.ndarray, batch_size: int) -> np.ndarray:
    """Return how far the probability of `classes` (n,) falls where pictures (n, side, side, 3) uint8 are covered.

    (n, side, side) float32, -1 to 1: the mean over all positions of a patch, of the picture's mean colour, that cover
    the pixel. It takes some 50 answers for each picture: meant for sides of up to 64 pixels. M. D. Zeiler, R. Fergus,
    Visualizing and understanding convolutional networks, ECCV 2014.
    """
    patches = _patches(pixels.shape[1])
    whole = class_probabilities(network, pixels, classes, batch_size)
    colours = mean_colours(pixels)
    drops = [
        whole - class_probabilities(network, np.where(patch[..., None], colours, pixels), classes, batch_size)
        for patch in patches
    ]
    total = np.tensordot(np.stack(drops, axis=1), patches.astype(np.float32), axes=1)
    return np.asarray(total / patches.sum(axis=0), np.float32)


def _patches(side: int) -> np.ndarray:
    """Return the positions of the patch (positions, side, side) bool; each pixel is in some."""
    patch, stride = max(round(side * PATCH), 1), max(round(side * STRIDE), 1)
    starts = sorted({*range(0, side - patch, stride), side - patch})
    covered = np.zeros((len(starts) ** 2, side, side), bool)
    for number, (top, left) in enumerate((top, left) for top in starts for left in starts):
        covered[number, top : top + patch, left : left + patch] = True
    return covered


def mean_colours(pixels: np.ndarray) -> np.ndarray:
    """Return the mean colour of each picture, (n, 1, 1, 3) uint8."""
    return np.asarray(np.round(pixels.mean(axis=(1, 2), keepdims=True)), np.uint8)


def class_probabilities(network: "keras.Model", pixels: np.ndarray, classes: np.ndarray, batch_size: int) -> np.ndarray:
    """Return the probability of its class, `classes` (n,), for each picture (n, side, side, 3): (n,) float32."""
    parts = (pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size))
    answers = np.concatenate([np.asarray(network.predict_on_batch(part.astype(np.float32))) for part in parts])
    return np.asarray(answers[np.arange(len(classes)), classes], np.float32)
