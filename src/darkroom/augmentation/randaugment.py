"""RandAugment: a few operations for each picture, drawn from a list, all of one magnitude.

E. D. Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, NeurIPS 2020.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.geometry import moving, shearing, turning
from darkroom.augmentation.light import contrasted

if TYPE_CHECKING:
    from darkroom.params.model import Augment

LARGEST = 10.0  # magnitude
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]  # pictures (n, side, side, 3) float32, strengths (n,) -1 to 1


def rand_augment(
    params: "Augment", pixels: np.ndarray, moves: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures changed in light and colour, float32, and their matrices (n, 3, 3) with further moves."""
    count, side = len(pixels), pixels.shape[1]
    pixels, moves = pixels.astype(np.float32), moves.copy()
    for _ in range(params.rand_augment):
        drawn = chance.integers(len(MOVES) + len(CHANGES) + 1, size=count)  # the last one leaves the picture
        strength = params.magnitude / LARGEST * chance.choice([-1.0, 1.0], count)
        for number, move in enumerate(MOVES):
            chosen = np.flatnonzero(drawn == number)
            moves[chosen] = moves[chosen] @ move(strength[chosen], side)
        for number, change in enumerate(CHANGES, start=len(MOVES)):
            chosen = np.flatnonzero(drawn == number)
            if len(chosen):
                pixels[chosen] = change(pixels[chosen], strength[chosen].astype(np.float32))
    return pixels, moves


MOVES: tuple[Callable[[np.ndarray, int], np.ndarray], ...] = (
    lambda strength, side: turning(np.radians(30 * strength)),  # noqa: ARG005
    lambda strength, side: shearing(0.3 * strength, 0),  # noqa: ARG005
    lambda strength, side: shearing(0, 0.3 * strength),  # noqa: ARG005
    lambda strength, side: moving(np.rint(0.3 * strength * side), 0 * strength),
    lambda strength, side: moving(0 * strength, np.rint(0.3 * strength * side)),
)


def _brightness(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return np.clip(pixels * (1 + 0.9 * strength)[:, None, None, None], 0, 255)


def _contrast(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return contrasted(pixels, 1 + 0.9 * strength, 0 * strength)


def _colour(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return _away_from(_grey(pixels)[..., None], pixels, strength)


def _sharpness(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    down = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return _away_from((down[:, :, :-2] + down[:, :, 1:-1] + down[:, :, 2:]) / 9, pixels, strength)


def _solarise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    return np.where(pixels < 256 * (1 - np.abs(strength))[:, None, None, None], pixels, 255 - pixels)


def _posterise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    step = 2 ** np.rint(4 * np.abs(strength))[:, None, None, None]
    coarse: np.ndarray = np.floor(pixels / step) * step
    return coarse


def _stretch(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Use the whole range of each colour (autocontrast)."""
    low, high = pixels.min(axis=(1, 2), keepdims=True), pixels.max(axis=(1, 2), keepdims=True)
    return np.where(high > low, (pixels - low) * 255 / np.maximum(high - low, 1), pixels)


def _equalise(pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Spread each colour's values evenly over the range, by their ranks."""
    count, side, _, colours = pixels.shape
    flat = pixels.transpose(0, 3, 1, 2).reshape(count * colours, side * side).astype(np.intp)
    offsets = np.arange(len(flat))[:, None] * 256
    histogram = np.bincount((flat + offsets).ravel(), minlength=256 * len(flat)).reshape(-1, 256)
    shares = np.cumsum(histogram, axis=1) / (side * side)
    spread = np.take_along_axis(shares, flat, axis=1).astype(np.float32) * 255
    return spread.reshape(count, colours, side, side).transpose(0, 2, 3, 1)


def _away_from(other: np.ndarray, pixels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return the pictures moved towards `other` (strength -1) or away from it (1)."""
    return np.asarray(np.clip(other + (pixels - other) * (1 + 0.9 * strength)[:, None, None, None], 0, 255))


def _grey(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


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
