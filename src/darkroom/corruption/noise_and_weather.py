"""Corruptions by noise, and by what is between the camera and its subject; see corruptions.py for their source.

Each takes a picture (side, side, 3) uint8, the severity 1-5 and a source of chance, and returns it as uint8, or as
float32 whose values may leave 0-255.
"""

import numpy as np

from darkroom.corruption.blurs import motion_kernel
from darkroom.corruption.corruption_strengths import Strength

NOISE = Strength((0.04, 0.06, 0.08, 0.09, 0.1), (0.08, 0.12, 0.18, 0.26, 0.38))  # deviation; 1 is white
PHOTONS = Strength((500, 250, 100, 75, 50), (60, 25, 12, 5, 3))  # counted at white
IMPULSES = Strength((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))  # share of the values
LIGHTER = Strength((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))  # added to the value; 1 is white
FOG = Strength((0.2, 0.5, 0.75, 1.0, 1.5), (1.5, 2.0, 2.4, 2.7, 3.0))  # times as bright as white
FOG_DECAY = Strength(
    (3.0, 3.0, 2.5, 2.0, 1.75), (2.0, 2.0, 1.7, 1.5, 1.4)
)  # weight of noise over that on the next finer grid
# Shares of the picture under flakes: one layer of them, with the light that the two published layers were found to add.
SNOW = Strength((0.008, 0.025, 0.035, 0.05, 0.065), (0.03, 0.07, 0.085, 0.11, 0.13))
VEIL = Strength((0.05, 0.1, 0.11, 0.15, 0.2), (0.2, 0.3, 0.32, 0.37, 0.45))  # share of the whitened picture
FLAKE = Strength((1.2,) * 5, (3.0,) * 5, True, least=(1.0,) * 5)  # side in pixels
# Deviations of the streaks that falling flakes leave.
FALL = Strength((1.5, 1.8, 2.1, 2.4, 3.0), (4, 5, 7, 8, 12), True, least=(0.5, 0.56, 0.62, 0.67, 0.71))


def gaussian_noise(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture with normal noise on each value: too little light."""
    import cv2

    noise = random.standard_normal(picture.shape, np.float32)
    deviation = 255 * NOISE.at(len(picture), severity)
    return np.asarray(cv2.addWeighted(picture, 1, noise, deviation, 0, dtype=cv2.CV_8U))


def shot_noise(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture with Poisson noise on each value: light comes in photons."""
    scale = np.float32(PHOTONS.at(len(picture), severity) / 255)
    return random.poisson(picture * scale).astype(np.float32) / scale


def impulse_noise(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture with some values at 0 or 255: faulty bits."""
    drawn = random.random(picture.shape, np.float32)
    half = np.float32(IMPULSES.at(len(picture), severity) / 2)
    result = picture.copy()
    result[drawn < half] = 0
    result[drawn >= 1 - half] = 255
    return result


def brightness(picture: np.ndarray, severity: int, _: np.random.Generator) -> np.ndarray:
    """Return the picture with a higher value in HSV: hue and saturation stay."""
    import cv2

    red, green, blue = cv2.split(picture)
    value = np.asarray(cv2.max(cv2.max(red, green), blue))
    values = np.arange(256, dtype=np.float32)
    lighter = np.minimum(values + np.float32(255 * LIGHTER.at(len(picture), severity)), 255)
    factor = (lighter / np.maximum(values, 1))[value]
    result = np.asarray(cv2.multiply(picture, cv2.cvtColor(factor, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U))
    result[value == 0] = round(lighter[0])  # black has no hue, and becomes grey
    return result


def fog(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture behind light that varies at all scales; its brightest value stays as bright."""
    import cv2

    side = len(picture)
    haze = cv2.cvtColor(_plasma(side, FOG_DECAY.at(side, severity), random), cv2.COLOR_GRAY2RGB)
    amount, white = 255 * FOG.at(side, severity), float(picture.max())
    share = white / (white + amount)
    return np.asarray(cv2.addWeighted(picture, share, haze, amount * share, 0, dtype=cv2.CV_8U))


def _plasma(side: int, decay: float, random: np.random.Generator) -> np.ndarray:
    """Return a field (side, side) float32 from 0 to 1: noise of ever finer grids, each weaker by `decay`."""
    import cv2

    field: np.ndarray = random.random((2, 2), np.float32)
    weight = 1.0
    while len(field) < side:
        cells, weight = 2 * len(field), weight / decay
        coarse = cv2.resize(field, (cells, cells), interpolation=cv2.INTER_LINEAR)
        field = np.asarray(coarse + weight * random.random((cells, cells), np.float32))
    field = field[:side, :side] - field[:side, :side].min()
    return np.asarray(field / max(field.max(), np.float32(1e-6)))


def snow(picture: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the picture whitened, behind white streaks."""
    import cv2

    side = len(picture)
    veil = VEIL.at(side, severity)
    grey = cv2.addWeighted(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 1.5, np.zeros((side, side), np.uint8), 0, 127.5)
    white = cv2.max(picture, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
    veiled = cv2.addWeighted(picture, 1 - veil, white, veil, 0)
    flakes = cv2.cvtColor(_flakes(side, severity, random), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(veiled, 1, flakes, 255, 0, dtype=cv2.CV_8U))


def _flakes(side: int, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return the light (side, side) float32 of streaks that fall at a common angle, from 0 to 1."""
    import cv2

    cells = round(side / FLAKE.at(side, severity))
    angle = random.uniform(45, 135)
    flakes = (random.random((cells, cells), np.float32) < SNOW.at(side, severity)).astype(np.float32)
    flakes = np.asarray(cv2.resize(flakes, (side, side), interpolation=cv2.INTER_LINEAR))
    return np.asarray(cv2.filter2D(flakes, -1, motion_kernel(FALL.at(side, severity), angle)))
