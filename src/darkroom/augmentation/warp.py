"""Moves training pictures: by whole pixels they are copied, else sampled once."""

from typing import NamedTuple

import numpy as np

from darkroom.augmentation.geometry import WHOLE, moving

BYTES_AT_ONCE = 300_000  # of pixels: they stay in the processor's cache
MIRRORS = {1: 1, 2: 0, 3: -1}  # OpenCV's numbers for: left and right, top and bottom, both


def warp(pixels: np.ndarray, matrices: np.ndarray, fill: str) -> None:
    """Move the pictures (n, side, side, 3), uint8 or float32, contiguous, in place; whole pixels stay as they are.

    `matrices` (n, 3, 3) take a place in the new picture, in pixels from its middle, to the old one. Places outside are
    those of the edge ("nearest"), of the mirrored picture ("reflect") or black ("constant").
    """
    import cv2

    if (matrices == WHOLE).all():
        return
    border = {"nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "constant": cv2.BORDER_CONSTANT}[fill]
    side, moves = pixels.shape[1], _moves(matrices, pixels.shape[1])
    if not any(move.sampled for move in moves):
        _move(pixels, moves, border)
        return
    at_once = max(BYTES_AT_ONCE // pixels[0].nbytes, 1)
    room = np.empty((at_once * side, side, 4), pixels.dtype)
    for begin in range(0, len(pixels), at_once):  # in four channels, where OpenCV samples twice as fast as in three
        part = slice(begin, begin + at_once)
        three = pixels[part].reshape(-1, side, 3)
        four = cv2.cvtColor(three, cv2.COLOR_RGB2RGBA, dst=room[: len(three)])
        _move(four.reshape(-1, side, side, 4), moves[part], border)
        cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, dst=three)


class Move(NamedTuple):
    """How a picture moves, once it is enlarged: OpenCV samples several times as fast where no place is outside."""

    margins: list[int]  # pixels above, below, left and right; at most a side, past which OpenCV mirrors alike
    start: list[int]  # row and column of the first pixel that is needed
    sampled: bool
    mirror: int  # of MIRRORS
    matrix: np.ndarray  # (2, 3)


def _moves(matrices: np.ndarray, side: int) -> list[Move]:
    """Return the moves of the matrices (n, 3, 3)."""
    middle, last = np.array([(side - 1) / 2]), side - 1
    places = (moving(middle, middle) @ matrices @ moving(-middle, -middle))[:, :2]
    corners = places @ np.array([[0, last, 0, last], [0, 0, last, last], [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=2)).astype(int)[:, ::-1]
    high = np.ceil(corners.max(axis=2)).astype(int)[:, ::-1]
    before, after = np.maximum(-low, 0), np.maximum(high - last, 0)
    margins = np.stack([before, after], axis=2).reshape(-1, 4)
    far, margins = (margins > side).any(axis=1), np.minimum(margins, side)
    places[:, :, 2] += margins[:, 2::-2]
    sampled = far | (np.abs(places[:, :, :2]) != np.eye(2)).any(axis=(1, 2)) | (places[:, :, 2] % 1 != 0).any(axis=1)
    mirrors = (places[:, 0, 0] < 0) + 2 * (places[:, 1, 1] < 0)
    columns = (margins.tolist(), (low + before).tolist(), sampled.tolist(), mirrors.tolist(), places)
    return [Move(*move) for move in zip(*columns, strict=True)]


def _move(pixels: np.ndarray, moves: list[Move], border: int) -> None:
    """Move the pictures (n, side, side, channels) in place."""
    import cv2

    side, how = pixels.shape[1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for picture, (margins, (row, column), sampled, mirror, matrix) in zip(pixels, moves, strict=True):
        above, below, left, right = margins
        larger = cv2.copyMakeBorder(picture, above, below, left, right, border)
        if sampled:
            cv2.warpAffine(larger, matrix, (side, side), dst=picture, flags=how, borderMode=border)
        elif mirror:
            cv2.flip(larger[row : row + side, column : column + side], MIRRORS[mirror], dst=picture)
        else:
            picture[:] = larger[row : row + side, column : column + side]
