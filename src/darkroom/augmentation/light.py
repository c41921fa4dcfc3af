"""Brightness and contrast of training pictures."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from darkroom.params.model import Augment


def change_light(params: "Augment", pixels: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return the pictures brighter or darker by up to `brightness` of the range, with more or less contrast."""
    if not (params.brightness or params.contrast):
        return pixels
    count = len(pixels)
    contrast = 1 + chance.uniform(-params.contrast, params.contrast, count)
    brightness = chance.uniform(-params.brightness, params.brightness, count) * 255
    return contrasted(pixels, contrast, brightness)


def contrasted(pixels: np.ndarray, contrast: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Return pictures, uint8, stretched around their mean grey by `contrast` (n,) and moved by `brightness` (n,)."""
    import cv2

    means = np.array([cv2.mean(picture)[:3] for picture in pixels]).mean(axis=1)
    return blended(pixels, contrast, pixels, np.zeros(len(pixels)), means * (1 - contrast) + brightness)


def blended(
    pixels: np.ndarray, shares: np.ndarray, others: np.ndarray, their_shares: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Return `pixels` times `shares` (n,), plus `others` times theirs, plus `offsets` (n,), rounded to uint8."""
    import cv2

    sums = np.empty_like(pixels)
    weights = zip(shares.tolist(), their_shares.tolist(), offsets.tolist(), strict=True)
    for one, other, (share, theirs, offset), place in zip(pixels, others, weights, sums, strict=True):
        cv2.addWeighted(one, share, other, theirs, offset, dst=place)
    return sums
