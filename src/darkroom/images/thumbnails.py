"""What stands for a picture when pictures are compared: 32x32 luma, 4x4 colour, and a hash of 64 bits."""

from functools import cache

import numpy as np
from PIL import Image

SIDE = 32  # of the luma, pixels
COLOUR_SIDE = 4
LUMA_BYTES = SIDE * SIDE
THUMBNAIL_BYTES = LUMA_BYTES + 2 * COLOUR_SIDE**2
HASH_BITS = 64


def reduce_picture(rgb: np.ndarray | Image.Image) -> np.ndarray:
    """Return an RGB picture squashed to (32, 32, 3) uint8; an array is of that size already."""
    if not isinstance(rgb, Image.Image):
        return rgb
    smoothed = Image.Resampling.BOX if min(rgb.size) >= SIDE else Image.Resampling.BILINEAR
    return np.asarray(rgb.resize((SIDE, SIDE), smoothed))


def make_thumbnails(reduced: np.ndarray) -> np.ndarray:
    """Return (n, THUMBNAIL_BYTES) uint8 from reduced pictures (n, 32, 32, 3) uint8: luma, then Cb, then Cr."""
    cells = SIDE // COLOUR_SIDE
    rows = _AVERAGE @ reduced.reshape(-1, SIDE, SIDE * 3).astype(np.float32)
    coarse = rows.reshape(-1, COLOUR_SIDE, COLOUR_SIDE, cells, 3).mean(axis=3)
    # ITU-R BT.601: colour is the distance of blue and red from luma
    light = coarse[..., 0] * 0.299 + coarse[..., 1] * 0.587 + coarse[..., 2] * 0.114
    blue, red = (coarse[..., 2] - light) * 0.564 + 128, (coarse[..., 0] - light) * 0.713 + 128
    parts = [luma_of(reduced), np.rint(blue).clip(0, 255).astype(np.uint8), np.rint(red).clip(0, 255).astype(np.uint8)]
    return np.concatenate([part.reshape(len(reduced), -1) for part in parts], axis=1)


# (4, 32): the mean of each eighth of a column
_AVERAGE = np.kron(np.eye(COLOUR_SIDE, dtype=np.float32), np.full(SIDE // COLOUR_SIDE, COLOUR_SIDE / SIDE, np.float32))


def luma_of(rgb: np.ndarray) -> np.ndarray:
    """Return the luma (...) uint8 of RGB (..., 3) uint8, by ITU-R BT.601 in whole numbers."""
    red, green, blue = (rgb[..., channel].astype(np.uint16) for channel in range(3))
    luma = (red * np.uint16(77) + green * np.uint16(150) + blue * np.uint16(29) + np.uint16(128)) >> 8
    return np.asarray(luma, np.uint8)


def hash_thumbnails(thumbnails: np.ndarray) -> np.ndarray:
    """Return a perceptual hash (n,) uint64: the signs of the 64 lowest frequencies of luma without the mean.

    A discrete cosine transform as in pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash
    Functions, 2010), but signs instead of a median over a square: rows of equal frequency in diagonal order. All sums
    are of whole numbers below 2**53, hence exact: every processor finds the same signs, in whatever order it adds.
    A picture of one luma has no frequencies: each byte of its hash is the Gray code of that luma.
    """
    luma = thumbnails[:, :LUMA_BYTES].reshape(-1, SIDE, SIDE).astype(np.float64)
    rows, columns, basis = _frequencies()
    spectrum = basis @ luma @ basis.T
    signs = np.packbits(spectrum[:, rows, columns] > 0, axis=1)
    flat = ~spectrum[:, rows, columns].any(axis=1)  # one value: no frequency, so that only its luma can tell it apart
    signs[flat] = _gray_code(thumbnails[flat, :1])
    return np.ascontiguousarray(signs).view(">u8")[:, 0].astype(np.uint64)


def _gray_code(luma: np.ndarray) -> np.ndarray:
    """Return a code that differs in one bit between a luma and the next."""
    return np.asarray(luma ^ luma >> 1, np.uint8)


@cache
def _frequencies() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row and column of the 64 frequencies used, and 65,536 times the cosines (frequencies, 32), rounded."""
    order = sorted((u + v, u, v) for u in range(SIDE) for v in range(SIDE) if u + v)[:HASH_BITS]
    rows, columns = np.array([u for _, u, _ in order]), np.array([v for _, _, v in order])
    angles = np.pi * (2 * np.arange(SIDE) + 1) / (2 * SIDE)
    basis = np.cos(np.arange(columns.max() + 1)[:, None] * angles)
    return rows, columns, np.rint(basis * 2**16)
