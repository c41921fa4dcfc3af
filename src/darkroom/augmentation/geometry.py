"""Moves of a picture - mirrored, turned, shifted, zoomed, sheared, cropped - joined to one, so it is sampled once."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from darkroom.params.model import Augment

WHOLE = np.eye(3, dtype=np.float64)


def transforms(params: "Augment", mirrored: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
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
    moves: np.ndarray = matrices @ scaling(*np.where(mirrored, -1.0, 1.0).T)
    return moves


def _crops(least: float, side: int, count: int, chance: np.random.Generator) -> np.ndarray:
    """Return the moves that fill the picture with a part of it: at least `least` of its area, 3:4 to 4:3.

    C. Szegedy et al., Going deeper with convolutions, CVPR 2015.
    """
    area = chance.uniform(least, 1, count)
    aspect = np.exp(chance.uniform(np.log(3 / 4), np.log(4 / 3), count))
    width, height = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    across, down = chance.uniform(-0.5, 0.5, (2, count)) * side
    cropped: np.ndarray = moving(across * (1 - width), down * (1 - height)) @ scaling(width, height)
    return cropped


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
