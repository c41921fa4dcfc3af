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
    return contrasted(pixels.astype(np.float32), contrast, brightness)


def contrasted(pixels: np.ndarray, contrast: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Return float32 pictures stretched around their mean grey by `contrast` (n,) and moved by `brightness` (n,)."""
    factor = contrast.astype(np.float32)[:, None, None, None]
    offset = pixels.mean(axis=(1, 2, 3)) * (1 - contrast) + brightness
    return np.asarray(np.clip(pixels * factor + offset.astype(np.float32)[:, None, None, None], 0, 255))
