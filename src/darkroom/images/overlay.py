"""A heat map drawn over its picture."""

import numpy as np
from PIL import Image

VISIBLE = 96  # pixels a side, at least, of an overlay
STRENGTH = 0.8  # of the colours where the map is 1
BRIGHTEST = 0.7  # of the picture below: on white no colour would be seen
# "inferno" of N. Smith and S. van der Walt, whose lightness grows evenly, from 0 to 1 in equal steps; CC0
COLOURS = (
    "000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b "
    "c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 f2ea69 fcffa4"
)


def overlay(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return one picture (side, side, 3) uint8 in grey below its map (side, side), as (large, large, 3) uint8, RGB.

    `large` is a multiple of the side, at least VISIBLE. Of values outside 0-1, as drops of a probability may be, the
    nearest of 0-1 counts.
    """
    side = len(pixels)
    large = (side * -(-VISIBLE // side),) * 2
    grey = np.asarray(Image.fromarray(pixels).convert("L").resize(large, Image.Resampling.NEAREST))
    warmth = Image.fromarray(np.clip(heat, 0, 1).astype(np.float32)).resize(large, Image.Resampling.BILINEAR)
    smooth = np.clip(np.asarray(warmth), 0, 1)
    share = STRENGTH * smooth[..., None]
    return np.asarray(np.round((1 - share) * BRIGHTEST * grey[..., None] + share * _coloured(smooth)), np.uint8)


def _coloured(values: np.ndarray) -> np.ndarray:
    """Return the colours (..., 3) 0-255 of values 0-1."""
    colours = np.array([tuple(bytes.fromhex(colour)) for colour in COLOURS.split()], np.float32)
    steps = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(values, steps, colours[:, channel]) for channel in range(3)], axis=-1)
