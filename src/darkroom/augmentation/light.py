"""Brightness and contrast of training pictures."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from darkroom.params.model import Augment


def change_light(params: "Augment", pixels: np.ndarray, chance: np.random.Generator) -> None:
    """Make the pictures, in place, brighter or darker by up to `brightness` of the range, change their contrast."""
    if params.brightness or params.contrast:
        count = len(pixels)
        contrast = 1 + chance.uniform(-params.contrast, params.contrast, count)
        brightness = chance.uniform(-params.brightness, params.brightness, count) * 255
        change_contrast(pixels, contrast, brightness)


def change_contrast(pictures: Iterable[np.ndarray], contrast: np.ndarray, brightness: np.ndarray) -> None:
    """Stretch pictures (side, side, 3) uint8, in place, around their mean grey by `contrast` (n,), add `brightness`."""
    import cv2

    for picture, factor, more in zip(pictures, contrast.tolist(), brightness.tolist(), strict=True):
        mean = sum(cv2.mean(picture)) / 3
        cv2.addWeighted(picture, factor, picture, 0, mean * (1 - factor) + more, dst=picture)
