"""Whether heat maps explain anything: the pixels that they name are taken away, or shown alone."""

from typing import TYPE_CHECKING

import numpy as np

from darkroom.explain.occlusion import class_probabilities, mean_colours

if TYPE_CHECKING:
    import keras

STEPS = 16
BLUR = 1 / 8  # of the side: the deviation


def faithfulness(
    network: "keras.Model", pixels: np.ndarray, classes: np.ndarray, heat: np.ndarray, batch_size: int, seed: int
) -> dict[str, float]:
    """Return deletion (low is good) and insertion (high is good) of maps (n, side, side) on (n, side, side, 3) uint8.

    Both are the area under the curve of the class's probability, 0-1, as pixels are replaced in the order of the map,
    the hottest first: by the picture's mean colour in deletion; in insertion from a blurred picture to the picture
    itself. Beside them, as `_random` and `_centre`, those of a random order and of the distance from the middle, which
    a map must beat. It takes some 100 answers for each picture. V. Petsiuk et al., RISE: Randomized input sampling for
    explanation of black-box models, BMVC 2018 (arXiv:1806.07421).
    """
    random = np.random.default_rng(seed)
    noise, side = random.random(heat.shape), heat.shape[1]
    away = np.hypot(*(np.indices((side, side)) - (side - 1) / 2))
    orders = {"": heat, "_random": random.random(heat.shape), "_centre": np.broadcast_to(-away, heat.shape)}
    plain, blurred, areas = np.broadcast_to(mean_colours(pixels), pixels.shape), _blurred(pixels), {}
    for name, values in orders.items():
        ranks = _ranks(values, noise)
        areas["deletion" + name] = _area(network, pixels, plain, classes, ranks, batch_size)
        areas["insertion" + name] = _area(network, blurred, pixels, classes, ranks, batch_size)
    return areas


def _ranks(values: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return when each pixel is replaced (n, side, side): 0 for the first, below 1 for the last; chance breaks ties."""
    count = len(values)
    order = np.lexsort((noise.reshape(count, -1), -values.reshape(count, -1)), axis=-1)
    return np.asarray(np.argsort(order, axis=1) / order.shape[1]).reshape(values.shape)


def _area(
    network: "keras.Model", first: np.ndarray, last: np.ndarray, classes: np.ndarray, ranks: np.ndarray, batch_size: int
) -> float:
    """Return the mean area under the probability on the way from the `first` pictures to the `last`."""
    curve = [
        class_probabilities(network, np.where((ranks < share)[..., None], last, first), classes, batch_size).mean()
        for share in np.linspace(0, 1, STEPS + 1)
    ]
    return float(np.trapezoid(curve, dx=1 / STEPS))


def _blurred(pixels: np.ndarray) -> np.ndarray:
    import cv2

    deviation = pixels.shape[1] * BLUR
    return np.stack([cv2.GaussianBlur(picture, (0, 0), deviation) for picture in pixels])
