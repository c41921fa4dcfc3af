"""Moves training pictures: by whole pixels they are copied, else sampled once."""

import numpy as np

from darkroom.augmentation.geometry import WHOLE, moving

BYTES_AT_ONCE = 300_000  # of pixels: they stay in the processor's cache
MIRRORS = (None, 1, 0, -1)  # OpenCV's numbers for: no mirror image, left and right, top and bottom, both


def warp(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> None:
    """Move the pictures (n, side, side, 3), uint8 or float32, in place; whole pixels stay as they are.

    `matrices` (n, 3, 3) take a place in the new picture, in pixels from its middle, to the old one. Places outside are
    those of the edge ("nearest"), of the mirrored picture ("reflect") or black ("constant").
    """
    import cv2

    if (matrices == WHOLE).all():
        return
    side = pixels.shape[1]
    border = {"nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "constant": cv2.BORDER_CONSTANT}[fill]
    places = _from_corner(matrices, side)
    whole = _by_whole_pixels(places)
    if whole.all():
        _move(pixels, places, whole, border)
        return
    at_once = max(BYTES_AT_ONCE // pixels[0].nbytes, 1)
    room = np.empty((at_once * side, side, 4), pixels.dtype)
    for begin in range(0, len(pixels), at_once):  # in four channels, where OpenCV samples twice as fast as in three
        part = slice(begin, begin + at_once)
        three = pixels[part].reshape(-1, side, 3)
        four = cv2.cvtColor(three, cv2.COLOR_RGB2RGBA, dst=room[: len(three)])
        _move(four.reshape(-1, side, side, 4), places[part], whole[part], border)
        cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, dst=three)


def _from_corner(matrices: np.ndarray, side: int) -> np.ndarray:
    """Return the upper two rows (n, 2, 3) of the matrices for places that are counted from the first pixel."""
    middle = np.array([(side - 1) / 2])
    whole: np.ndarray = moving(middle, middle) @ matrices @ moving(-middle, -middle)
    return whole[:, :2]


def _by_whole_pixels(places: np.ndarray) -> np.ndarray:
    """Return whether each of the matrices (n, 2, 3) only mirrors and shifts, by whole pixels (n,)."""
    stretched = np.abs(places[:, :, :2]) != np.eye(2)
    return ~(stretched.any(axis=(1, 2)) | (places[:, :, 2] % 1 != 0).any(axis=1))


def _move(pixels: np.ndarray, places: np.ndarray, whole: np.ndarray, border: int) -> None:
    """Move the pictures (n, side, side, channels); each is enlarged first, so that no place is outside."""
    import cv2

    side, how = pixels.shape[1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    margins, starts = _reach(places, side)
    places[:, :, 2] += margins[:, 2::-2]
    mirrors = (places[:, 0, 0] < 0) + 2 * (places[:, 1, 1] < 0)
    moves = zip(margins.tolist(), starts.tolist(), whole.tolist(), mirrors.tolist(), places, strict=True)
    for picture, (around, (row, column), copied, mirror, place) in zip(pixels, moves, strict=True):
        larger = cv2.copyMakeBorder(picture, *around, border)
        if not copied:
            cv2.warpAffine(larger, place, (side, side), dst=picture, flags=how)
        elif mirror:
            cv2.flip(larger[row : row + side, column : column + side], MIRRORS[mirror], dst=picture)
        else:
            picture[:] = larger[row : row + side, column : column + side]


def _reach(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels (n, 4) are needed above, below, left and right of each picture.

    And the row and column (n, 2) of the enlarged picture from which it is needed.
    """
    last = side - 1
    corners = places @ np.array([[0, last, 0, last], [0, 0, last, last], [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=2)).astype(int)[:, ::-1]
    high = np.ceil(corners.max(axis=2)).astype(int)[:, ::-1]
    before, after = np.maximum(-low, 0), np.maximum(high - last, 0)
    return np.stack([before, after], axis=2).reshape(-1, 4), low + before
