"""Moves training pictures: whole pixels are copied, anything else is sampled once."""

from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.geometry import WHOLE, moving

if TYPE_CHECKING:
    from collections.abc import Sequence

MIRROR = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}  # (across, down) -> OpenCV's code


def warp(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> np.ndarray:
    """Return the pictures (n, side, side, 3), uint8 or float32, moved; whole pixels stay as they are.

    `matrices` (n, 3, 3) take a place in the new picture, in pixels from its middle, to the old one. Places outside are
    those of the edge ("nearest"), of the mirrored picture ("reflect") or black ("constant").
    """
    import cv2

    if (matrices == WHOLE).all():
        return pixels
    border = {"nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "constant": cv2.BORDER_CONSTANT}[fill]
    places = _from_corner(matrices, pixels.shape[1])
    whole = _by_whole_pixels(places)
    margins, first = _reach(places, pixels.shape[1])
    places[:, :, 2] += margins[:, 2::-2]
    moved = np.empty_like(pixels)
    for number in np.flatnonzero(whole):
        _slide(pixels[number], places[number], margins[number].tolist(), first[number].tolist(), border, moved[number])
    for number in np.flatnonzero(~whole):
        _sample(pixels[number], places[number], margins[number].tolist(), border, moved[number])
    return moved


def _from_corner(matrices: np.ndarray, side: int) -> np.ndarray:
    """Return the upper two rows (n, 2, 3) of the matrices for places that are counted from the first pixel."""
    middle = np.array([(side - 1) / 2])
    whole: np.ndarray = moving(middle, middle) @ matrices @ moving(-middle, -middle)
    return whole[:, :2]


def _by_whole_pixels(places: np.ndarray) -> np.ndarray:
    """Return whether each of the matrices (n, 2, 3) only mirrors and shifts, by whole pixels (n,)."""
    stretched = np.abs(places[:, :, :2]) != np.eye(2)
    return ~(stretched.any(axis=(1, 2)) | (places[:, :, 2] % 1 != 0).any(axis=1))


def _reach(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels that are needed above, below, left and right of each picture (n, 4), and where it begins.

    Pictures are enlarged by them: OpenCV samples several times as fast where no place is outside. What is sampled
    begins at a row and a column (n, 2) of the larger picture.
    """
    last = side - 1
    corners = places @ np.array([[0, last, 0, last], [0, 0, last, last], [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=2)).astype(int)[:, ::-1]
    high = np.ceil(corners.max(axis=2)).astype(int)[:, ::-1]
    before, after = np.maximum(-low, 0), np.maximum(high - last, 0)
    return np.stack([before, after], axis=2).reshape(-1, 4), low + before


def _slide(
    picture: np.ndarray,
    matrix: np.ndarray,
    margins: "Sequence[int]",
    first: "Sequence[int]",
    border: int,
    place: np.ndarray,
) -> None:
    """Write a picture (side, side, 3) to `place`, mirrored and shifted."""
    import cv2

    (row, column), side = first, len(picture)
    larger = cv2.copyMakeBorder(picture, *margins, border) if any(margins) else picture
    part, code = larger[row : row + side, column : column + side], MIRROR[matrix[0, 0] < 0, matrix[1, 1] < 0]
    if code is None:
        place[:] = part
    else:
        cv2.flip(part, code, dst=place)


def _sample(picture: np.ndarray, matrix: np.ndarray, margins: "Sequence[int]", border: int, place: np.ndarray) -> None:
    """Write a picture (side, side, 3) to `place`, each pixel from between four old ones."""
    import cv2

    four = cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)  # of four channels, which OpenCV samples twice as fast
    larger = cv2.copyMakeBorder(four, *margins, border)
    moved = cv2.warpAffine(larger, matrix, picture.shape[:2], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, dst=place)
