"""Corruptions by processing and storing pictures; see corruptions.py for their source.

Each takes a picture (side, side, 3) uint8, the severity 1-5 and a source of chance, and returns it as uint8, or as
float32.
"""

from math import pi, sqrt

import numpy as np
import simplejpeg
from PIL import Image

from darkroom.corruption.blurs import moved
from darkroom.corruption.corruption_strengths import Strength

CONTRAST = Strength((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05))  # share that is left
BLOCK = Strength((1.05, 1.11, 1.18, 1.33, 1.54), (1.67, 2.0, 2.5, 3.33, 4.0), True)  # side in pixels
QUALITY = Strength((80, 65, 58, 50, 40), (25, 18, 15, 10, 7))
# The published displacements go from coarse to fine and do not grow; these do, through the middle of those.
JOLT = Strength((1.2, 1.4, 1.6, 1.8, 2.0), (4, 5, 6, 7, 8), True, least=(0.3, 0.4, 0.5, 0.6, 0.7))  # of 3 points
WAVE = Strength((0.2, 0.3, 0.4, 0.5, 0.6), (0.6, 0.9, 1.2, 1.6, 2.0), True, least=(0.1,) * 5)  # deviation
WAVE_WIDTH = Strength((1.3,) * 5, (2.5,) * 5, True, least=(1.0,) * 5)  # deviation of what smooths the waves


def contrast(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the picture nearer to the mean of each of its channels."""
    import cv2

    mean = np.array(cv2.mean(picture)[:3])
    left = CONTRAST.at(len(picture), severity)
    table = np.rint(np.arange(256)[:, None, None] * left + mean * (1 - left))  # from a value to the new one
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8)))


def elastic(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture stretched: three of its points are moved, and small waves are added."""
    import cv2

    side = len(picture)
    width = WAVE_WIDTH.at(side, severity)
    jolts = random.uniform(-1, 1, (3, 2)) * JOLT.at(side, severity)
    waves = random.standard_normal((side, side, 2), np.float32)
    # smoothing white noise leaves 1 / (2 sqrt(pi) width) of its deviation
    scale = WAVE.at(side, severity) * 2 * sqrt(pi) * width
    waves = np.asarray(cv2.GaussianBlur(waves, (0, 0), width)) * np.float32(scale)
    return moved(picture, waves.transpose(2, 0, 1) + _stretch(side, jolts))


def _stretch(side: int, jolts: np.ndarray) -> np.ndarray:
    """Return the displacement (2, side, side) float32 that moves three points around the middle by `jolts` (3, 2)."""
    low, high = side / 6, side * 5 / 6
    corners = np.array([[high, high, 1], [high, low, 1], [low, low, 1]])
    across, down, constant = np.linalg.solve(corners, jolts)
    places = np.arange(side)
    field = across[:, None, None] * places + down[:, None, None] * places[:, None] + constant[:, None, None]
    return np.asarray(field, np.float32)


def pixelate(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the picture in larger pixels."""
    side = len(picture)
    cells = max(1, min(int(side / BLOCK.at(side, severity)), side - severity))
    box = Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize((cells, cells), box).resize((side, side), box))


def jpeg(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the picture stored as a JPEG of low quality, colours at half the resolution."""
    quality = round(QUALITY.at(len(picture), severity))
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality, "RGB", "420")
    return np.asarray(simplejpeg.decode_jpeg(data))
