"""RandAugment: a few operations for each picture, drawn from a list, all of one magnitude.

E. D. Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, NeurIPS 2020.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.geometry import moving, shearing, turning
from darkroom.augmentation.light import blended, contrasted

if TYPE_CHECKING:
    from darkroom.params.model import Augment

LARGEST = 10.0  # magnitude
VALUES = np.arange(256.0)  # of a pixel
GREY = np.array([0.299, 0.587, 0.114])  # shares of red, green and blue: ITU-R BT.601
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]  # pictures (n, side, side, 3) uint8, strengths (n,) -1 to 1


def rand_augment(
    params: "Augment", pixels: np.ndarray, moves: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures changed in light and colour and their matrices (n, 3, 3) with further moves."""
    count, side = len(pixels), pixels.shape[1]
    pixels, moves = pixels.copy(), moves.copy()
    for _ in range(params.rand_augment):
        drawn = chance.integers(len(MOVES) + len(CHANGES) + 1, size=count)  # the last one leaves the picture
        strength = params.magnitude / LARGEST * chance.choice([-1.0, 1.0], count)
        for number, move in enumerate(MOVES):
            chosen = np.flatnonzero(drawn == number)
            moves[chosen] = moves[chosen] @ move(strength[chosen], side)
        for number, change in enumerate(CHANGES, start=len(MOVES)):
            chosen = np.flatnonzero(drawn == number)
            if len(chosen):
                pixels[chosen] = change(pixels[chosen], strength[chosen])
    return pixels, moves


MOVES: tuple[Callable[[np.ndarray, int], np.ndarray], ...] = (
    lambda strength, side: turning(np.radians(30 * strength)),  # noqa: ARG005
    lambda strength, side: shearing(0.3 * strength, 0),  # noqa: ARG005
    lambda strength, side: shearing(0, 0.3 * strength),  # noqa: ARG005
    lambda strength, side: moving(np.rint(0.3 * strength * side), 0 * strength),
    lambda strength, side: moving(0 * strength, np.rint(0.3 * strength * side)),
)


def _brightness(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return blended(pixels, 1 + 0.9 * strength, pixels, 0 * strength, 0 * strength)


def _contrast(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return contrasted(pixels, 1 + 0.9 * strength, 0 * strength)


def _colour(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    import cv2

    more = 0.9 * strength[:, None, None]
    changed = np.empty_like(pixels)
    for picture, colours, place in zip(pixels, (1 + more) * np.eye(3) - more * GREY, changed, strict=True):
        cv2.transform(picture, colours, dst=place)
    return changed


def _sharpness(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    import cv2

    blurred = np.empty_like(pixels)
    for picture, place in zip(pixels, blurred, strict=True):
        cv2.blur(picture, (3, 3), dst=place, borderType=cv2.BORDER_REPLICATE)
    return blended(pixels, 1 + 0.9 * strength, blurred, -0.9 * strength, 0 * strength)


def _solarise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    limits = 256 * (1 - np.abs(strength))[:, None]
    return _looked_up(pixels, np.where(limits > VALUES, VALUES, 255 - VALUES))


def _posterise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    step = 2 ** np.rint(4 * np.abs(strength))[:, None]
    return _looked_up(pixels, np.floor(VALUES / step) * step)


def _stretch(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Use the whole range of each colour (autocontrast)."""
    count, side, _, colours = pixels.shape
    columns = pixels.reshape(count, side, side * colours)  # NumPy is slow along the axis of a few colours
    low = columns.min(axis=1).reshape(count, side, colours).min(axis=1)[:, None].astype(float)
    high = columns.max(axis=1).reshape(count, side, colours).max(axis=1)[:, None].astype(float)
    values = VALUES[:, None]
    return _looked_up(pixels, np.where(high > low, (values - low) * 255 / np.maximum(high - low, 1), values))


def _equalise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Spread each colour's values evenly over the range, by their ranks."""
    import cv2

    counts = [cv2.calcHist([picture], [colour], None, [256], [0, 256]) for picture in pixels for colour in range(3)]
    ranks = np.cumsum(np.reshape(counts, (-1, 3, 256)), axis=2, dtype=float)
    return _looked_up(pixels, ranks.transpose(0, 2, 1) / pixels.shape[1] ** 2 * 255)


def _looked_up(pixels: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Return the pictures with each value looked up in a table (n, 256), or in one for each colour (n, 256, 3)."""
    import cv2

    rounded = np.clip(np.rint(tables), 0, 255).astype(np.uint8).reshape(len(tables), 256, 1, -1)
    changed = np.empty_like(pixels)
    for picture, table, place in zip(pixels, rounded, changed, strict=True):
        cv2.LUT(picture, table, dst=place)
    return changed


CHANGES: tuple[Change, ...] = (
    _brightness,
    _contrast,
    _colour,
    _sharpness,
    _solarise,
    _posterise,
    _stretch,
    _equalise,
)
