"""Corruptions that take sharpness away; see corruptions.py for their source.

Each takes a picture (side, side, 3) uint8, the severity 1-5 and a source of chance, and returns it as uint8, or as
float32. Pixels from outside are mirrored.
"""

from functools import lru_cache
from math import ceil, cos, radians, sin

import numpy as np

from darkroom.corruption.corruption_strengths import Strength

# Radii of discs. At 32 pixels the published kernels are rough discs; smooth ones of these change pictures as much.
DISC = Strength((0.6, 0.75, 0.95, 1.2, 1.65), (3, 4, 6, 8, 10), True, least=(0.6, 0.65, 0.72, 0.8, 0.95))
# Deviations of what smooths, and how far pixels go, in place of rounds of swaps by a whole number of pixels.
SMOOTH = Strength((0.3, 0.34, 0.38, 0.42, 0.5), (0.7, 0.9, 1.0, 1.1, 1.5), True, least=(0.25,) * 5)
REACH = Strength((1.0, 1.15, 1.3, 1.5, 1.8), (1.6, 2.1, 3.0, 4.0, 5.5), True, least=(0.7, 0.78, 0.86, 0.94, 1.02))
# Deviations of trails.
TRAIL = Strength((1.0, 1.5, 2.0, 2.3, 2.7), (3, 5, 8, 12, 15), True, least=(0.5, 0.6, 0.7, 0.8, 0.9))
ZOOM = Strength((0.05, 0.1, 0.15, 0.2, 0.25), (0.1, 0.15, 0.2, 0.24, 0.3))  # largest enlargement, share of the side
LAYERS = 12  # enlargements that are averaged
FINER = 16  # parts of a pixel's side, when a disc is drawn
ENDS = 2.5  # deviations after which a trail ends


def defocus_blur(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the picture out of focus: each point is a disc."""
    import cv2

    return np.asarray(cv2.filter2D(picture, -1, _disc(DISC.at(len(picture), severity))))


@lru_cache(maxsize=8)
def _disc(radius: float) -> np.ndarray:
    """Return a kernel (k, k) float32 of sum 1: the share of each pixel that a disc of this radius covers."""
    reach = ceil(radius - 0.5)
    count = (2 * reach + 1) * FINER
    points = (np.arange(count) + 0.5) / FINER - reach - 0.5
    inside = points[:, None] ** 2 + points[None, :] ** 2 <= radius**2
    shares = inside.reshape(2 * reach + 1, FINER, 2 * reach + 1, FINER).mean(axis=(1, 3))
    return np.asarray(shares / shares.sum(), np.float32)


def glass_blur(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture behind frosted glass: each pixel shows some place near it, smoothed before and after."""
    import cv2

    side = len(picture)
    deviation = SMOOTH.at(side, severity)
    moves = random.random((2, side, side), np.float32)
    moves = (moves - np.float32(0.5)) * np.float32(2 * REACH.at(side, severity))
    smooth = cv2.GaussianBlur(picture, (0, 0), deviation)
    return np.asarray(cv2.GaussianBlur(moved(smooth, moves), (0, 0), deviation))


def moved(picture: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Return the picture whose pixels come from elsewhere: `moves` (2, side, side) float32 pixels, across and down."""
    import cv2

    places = np.arange(len(picture), dtype=np.float32)
    across, down = moves[0] + places, moves[1] + places[:, None]
    return np.asarray(cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def motion_blur(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture as a moving camera sees it, at up to 45 degrees from the horizontal."""
    import cv2

    angle = random.uniform(-45, 45)
    return np.asarray(cv2.filter2D(picture, -1, motion_kernel(TRAIL.at(len(picture), severity), angle)))


def motion_kernel(deviation: float, angle: float) -> np.ndarray:
    """Return a kernel (k, k) float32 of sum 1: a trail that fades like half a normal curve of `deviation` pixels.

    `angle` is in degrees from the horizontal.
    """
    length = ENDS * deviation
    along = np.linspace(0, length, 2 * ceil(length) + 1)
    reach = ceil(length)
    across, down = along * cos(radians(angle)) + reach, along * sin(radians(angle)) + reach
    weights = np.exp(-0.5 * (along / deviation) ** 2)
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2))
    left, top = across.astype(int), down.astype(int)
    for right, low in ((0, 0), (0, 1), (1, 0), (1, 1)):  # each point is shared by the four pixels around it
        part = np.abs(1 - right - (across - left)) * np.abs(1 - low - (down - top))
        np.add.at(kernel, (top + low, left + right), weights * part)
    return np.asarray(kernel[:-1, :-1] / kernel[:-1, :-1].sum(), np.float32)


def zoom_blur(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the mean of the picture and its enlargements, as while a lens zooms in."""
    import cv2

    side, most = len(picture), ZOOM.at(len(picture), severity)
    middle = (side - 1) / 2
    total = picture.astype(np.float32)
    for factor in np.linspace(1 + most / LAYERS, 1 + most, LAYERS):
        to_centre = np.array([[factor, 0, middle * (1 - factor)], [0, factor, middle * (1 - factor)]])
        total += cv2.warpAffine(picture, to_centre, (side, side), flags=cv2.INTER_LINEAR)
    return total / np.float32(LAYERS + 1)
