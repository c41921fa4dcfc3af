"""Moves training pictures: whole pixels are copied, anything else is sampled once."""

import numpy as np

from darkroom.augmentation.geometry import WHOLE, moving

BYTES_AT_ONCE = 1_000_000  # of pixels sampled together: they stay in the processor's cache
MIRRORS = (None, 1, 0, -1)  # OpenCV's names for: no mirror image, left and right, top and bottom, both


def warp(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> None:
    """Move the pictures (n, side, side, 3), uint8 or float32, in place; whole pixels stay as they are.

    `matrices` (n, 3, 3) take a place in the new picture, in pixels from its middle, to the old one. Places outside are
    those of the edge ("nearest"), of the mirrored picture ("reflect") or black ("constant").
    """
    import cv2

    if (matrices == WHOLE).all():
        return
    border = {"nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "constant": cv2.BORDER_CONSTANT}[fill]
    places = _from_corner(matrices, pixels.shape[1])
    whole = _by_whole_pixels(places)
    _slide(pixels, np.flatnonzero(whole), places, border)
    sampled = np.flatnonzero(~whole)
    at_once = max(BYTES_AT_ONCE // pixels[0].nbytes, 1)
    for begin in range(0, len(sampled), at_once):
        some = sampled[begin : begin + at_once]
        pixels[some] = _sampled(pixels[some], places[some], border)


def _from_corner(matrices: np.ndarray, side: int) -> np.ndarray:
    """Return the upper two rows (n, 2, 3) of the matrices for places that are counted from the first pixel."""
    middle = np.array([(side - 1) / 2])
    whole: np.ndarray = moving(middle, middle) @ matrices @ moving(-middle, -middle)
    return whole[:, :2]


def _by_whole_pixels(places: np.ndarray) -> np.ndarray:
    """Return whether each of the matrices (n, 2, 3) only mirrors and shifts, by whole pixels (n,)."""
    stretched = np.abs(places[:, :, :2]) != np.eye(2)
    return ~(stretched.any(axis=(1, 2)) | (places[:, :, 2] % 1 != 0).any(axis=1))


def _slide(pixels: np.ndarray, chosen: np.ndarray, places: np.ndarray, border: int) -> None:
    """Mirror and shift the chosen pictures by whole pixels."""
    import cv2

    side = pixels.shape[1]
    margins, starts = _reach(places[chosen], side)
    mirrors = (places[chosen, 0, 0] < 0) + 2 * (places[chosen, 1, 1] < 0)
    moves = zip(chosen.tolist(), margins.tolist(), starts.tolist(), mirrors.tolist(), strict=True)
    for number, around, (row, column), mirror in moves:
        larger = cv2.copyMakeBorder(pixels[number], *around, border)
        part = larger[row : row + side, column : column + side]
        if mirror:
            cv2.flip(part, MIRRORS[mirror], dst=pixels[number])
        else:
            pixels[number] = part


def _sampled(pixels: np.ndarray, places: np.ndarray, border: int) -> np.ndarray:
    """Return the pictures moved, each pixel from between four.

    OpenCV samples pictures of four channels twice as fast as those of three, and needs no care where no place is
    outside.
    """
    import cv2

    side, how = pixels.shape[1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    margins, _ = _reach(places, side)
    places[:, :, 2] += margins[:, 2::-2]
    four = cv2.cvtColor(pixels.reshape(-1, side, 3), cv2.COLOR_RGB2RGBA).reshape(-1, side, side, 4)
    for picture, matrix, around in zip(four, places, margins.tolist(), strict=True):
        larger = cv2.copyMakeBorder(picture, *around, border)
        cv2.warpAffine(larger, matrix, (side, side), dst=picture, flags=how)
    return cv2.cvtColor(four.reshape(-1, side, 4), cv2.COLOR_RGBA2RGB).reshape(pixels.shape)


def _reach(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels that are needed above, below, left and right of each picture (n, 4), and where it begins.

    What is needed of the picture that is larger by these begins at a row and a column (n, 2).
    """
    last = side - 1
    corners = places @ np.array([[0, last, 0, last], [0, 0, last, last], [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=2)).astype(int)[:, ::-1]
    high = np.ceil(corners.max(axis=2)).astype(int)[:, ::-1]
    before, after = np.maximum(-low, 0), np.maximum(high - last, 0)
    return np.stack([before, after], axis=2).reshape(-1, 4), low + before
