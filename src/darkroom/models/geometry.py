"""Moves of a picture - mirrored, turned, shifted, zoomed, sheared, cropped - joined to one, so it is sampled once."""

from typing import Any

import numpy as np

from darkroom.params.model import Augment

WHOLE = np.eye(3, dtype=np.float64)


def transforms(params: Augment, mirrored: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
    """Return matrices (n, 3, 3) that take a place in the new picture, in pixels from its middle, to the old one.

    `mirrored` (n, 2): left and right, top and bottom.
    """
    count = len(mirrored)
    matrices = np.tile(WHOLE, (count, 1, 1))
    if params.crop < 1:
        matrices = matrices @ _crops(params.crop, side, count, chance)
    if params.zoom:
        matrices = matrices @ scaling(*[1 + chance.uniform(-params.zoom, params.zoom, count)] * 2)
    if params.shear:
        matrices = matrices @ shearing(np.tan(np.radians(chance.uniform(-params.shear, params.shear, count))), 0)
    if params.rotation:
        matrices = matrices @ turning(np.radians(chance.uniform(-params.rotation, params.rotation, count)))
    if params.shift:
        most = round(params.shift * side)  # whole pixels, which blur nothing
        across, down = chance.integers(-most, most + 1, (2, count))
        matrices = moving(across, down) @ matrices
    return matrices @ scaling(*np.where(mirrored, -1.0, 1.0).T)


def _crops(least: float, side: int, count: int, chance: np.random.Generator) -> np.ndarray:
    """Return the moves that fill the picture with a part of it: at least `least` of its area, 3:4 to 4:3.

    C. Szegedy et al., Going deeper with convolutions, CVPR 2015.
    """
    area = chance.uniform(least, 1, count)
    aspect = np.exp(chance.uniform(np.log(3 / 4), np.log(4 / 3), count))
    width, height = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    across, down = chance.uniform(-0.5, 0.5, (2, count)) * side
    return moving(across * (1 - width), down * (1 - height)) @ scaling(width, height)


def scaling(across: Any, down: Any) -> np.ndarray:
    """Return matrices (n, 3, 3) that stretch."""
    return _matrices(len(across), {(0, 0): across, (1, 1): down})


def shearing(across: Any, down: Any) -> np.ndarray:
    """Return matrices that shear; one of the two is an array (n,)."""
    return _matrices(np.size(across) if np.ndim(across) else np.size(down), {(0, 1): across, (1, 0): down})


def moving(across: Any, down: Any) -> np.ndarray:
    """Return matrices (n, 3, 3) that shift by pixels."""
    return _matrices(len(across), {(0, 2): across, (1, 2): down})


def turning(angles: np.ndarray) -> np.ndarray:
    """Return matrices (n, 3, 3) that turn by `angles`, radians."""
    sine, cosine = np.sin(angles), np.cos(angles)
    return _matrices(len(angles), {(0, 0): cosine, (0, 1): -sine, (1, 0): sine, (1, 1): cosine})


def _matrices(count: int, values: dict[tuple[int, int], Any]) -> np.ndarray:
    matrices = np.tile(WHOLE, (count, 1, 1))
    for (row, column), value in values.items():
        matrices[:, row, column] = value
    return matrices


def warp(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> np.ndarray:
    """Return the pictures (n, side, side, 3) moved: uint8 as they came, float32 when places fall between pixels."""
    if (matrices == WHOLE).all():
        return pixels
    kept = np.abs(matrices[:, 0, 0]) == 1
    if (kept & (np.abs(matrices[:, 1, 1]) == 1) & (matrices[:, 0, 1] == 0) & (matrices[:, 1, 0] == 0)).all():
        return _gather(pixels, matrices, fill)
    return _sample(pixels, matrices, fill)


def _gather(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> np.ndarray:
    """Return mirrored pictures, shifted by whole pixels, without the cost of sampling."""
    side = pixels.shape[1]
    middle = (side - 1) / 2
    places = np.arange(side) - middle
    across = np.rint(matrices[:, 0, :1] * places + matrices[:, 0, 2:] + middle).astype(np.intp)
    down = np.rint(matrices[:, 1, 1:2] * places + matrices[:, 1, 2:] + middle).astype(np.intp)
    rows = np.arange(len(pixels))[:, None, None]
    moved = pixels[rows, _inside(down, side, fill)[:, :, None], _inside(across, side, fill)[:, None, :]]
    if fill == "constant":
        outside = ((down < 0) | (down >= side))[:, :, None] | ((across < 0) | (across >= side))[:, None, :]
        moved[outside] = 0
    return moved


def _inside(places: np.ndarray, side: int, fill: str) -> np.ndarray:
    """Return places (n, side) brought into the picture."""
    if fill == "reflect":  # edge pixels twice, as TensorFlow's: 1 0 | 0 1 2
        places = places % (2 * side)
        places = np.minimum(places, 2 * side - 1 - places)
    return places.clip(0, side - 1)


def _sample(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> np.ndarray:
    """Return the pictures sampled between pixels, float32."""
    from keras import ops

    middle = (pixels.shape[1] - 1) / 2
    to_corner = _matrices(1, {(0, 2): [middle], (1, 2): [middle]})
    from_corner = _matrices(1, {(0, 2): [-middle], (1, 2): [-middle]})
    flat = (to_corner @ matrices @ from_corner).reshape(-1, 9)[:, :8].astype(np.float32)
    sampled = ops.image.affine_transform(pixels.astype(np.float32), flat, "bilinear", fill)
    return ops.convert_to_numpy(sampled)
