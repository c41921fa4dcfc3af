"""What OpenCV does to bytes, beside the same in NumPy and floating point: no pixel is further off than by rounding."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from darkroom.augmentation.geometry import moving, scaling, shearing, turning
from darkroom.augmentation.light import change_contrast
from darkroom.augmentation.randaugment import CHANGES
from darkroom.augmentation.variation import Variation
from darkroom.augmentation.warp import warp
from easy import small_params

COUNT, SIDE = 16, 24
CHANCE = np.random.default_rng(0)
PIXELS = (CHANCE.integers(0, 256, (COUNT, SIDE, SIDE, 3)) * 0.7 + 30).astype(np.uint8)
Padding = Literal["edge", "symmetric", "constant"]
GREY = np.array([0.299, 0.587, 0.114])


def blurred(picture: np.ndarray) -> Any:
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), "edge")
    return np.mean([padded[row:, column:][:SIDE, :SIDE] for row in range(3) for column in range(3)], axis=0)


def away(picture: np.ndarray, other: np.ndarray, strength: float) -> Any:
    return np.clip(other + (picture - other) * (1 + 0.9 * strength), 0, 255)


def stretched(picture: np.ndarray) -> Any:
    low, high = picture.min(axis=(0, 1)), picture.max(axis=(0, 1))
    return (picture - low) * 255 / (high - low)


def equalised(picture: np.ndarray) -> np.ndarray:
    flat = picture.reshape(-1, 3)
    return np.stack([(flat <= value).mean(axis=0) * 255 for value in flat]).reshape(picture.shape)


REFERENCES: dict[str, Callable[[np.ndarray, float], Any]] = {
    "_brightness": lambda picture, s: away(picture, np.zeros(3), s),
    "_contrast": lambda picture, s: away(picture, picture.mean(), s),
    "_colour": lambda picture, s: away(picture, (picture @ GREY)[..., None], s),
    "_sharpness": lambda picture, s: away(picture, blurred(picture), s),
    "_solarise": lambda picture, s: np.where(picture < 256 * (1 - abs(s)), picture, 255 - picture),
    "_posterise": lambda picture, s: picture // 2 ** round(4 * abs(s)) * 2 ** round(4 * abs(s)),
    "_stretch": lambda picture, s: stretched(picture),  # noqa: ARG005
    "_equalise": lambda picture, s: equalised(picture),  # noqa: ARG005
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_light_and_colour(change: Any) -> None:
    strength = CHANCE.uniform(-1, 1, COUNT)
    changed = PIXELS.copy()
    change(list(changed), strength)
    plain = [
        REFERENCES[change.__name__](picture, one) for picture, one in zip(PIXELS.astype(float), strength, strict=True)
    ]
    assert np.abs(changed - np.stack(plain)).max() <= 1


def test_contrast_with_brightness() -> None:
    contrast, brightness = CHANCE.uniform(0.5, 1.5, COUNT), CHANCE.uniform(-80, 80, COUNT)
    changed = PIXELS.copy()
    change_contrast(changed, contrast, brightness)
    factors, means = contrast[:, None, None, None], PIXELS.mean(axis=(1, 2, 3), keepdims=True)
    plain = np.clip((PIXELS - means) * factors + means + brightness[:, None, None, None], 0, 255)
    assert np.abs(changed - plain).max() <= 0.501


def sampled(picture: np.ndarray, matrix: np.ndarray, padding: Padding) -> Any:
    """Return a picture moved by a matrix (3, 3), in floating point: between four pixels by their distances."""
    middle, margin = (SIDE - 1) / 2, 5 * SIDE
    padded = np.pad(picture.astype(float), ((margin, margin), (margin, margin), (0, 0)), padding)
    down, across = np.mgrid[:SIDE, :SIDE] - middle
    x, y = np.tensordot(matrix[:2], np.stack([across, down, np.ones_like(down)]), 1) + middle + margin
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, below = (x - left)[..., None], (y - top)[..., None]
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    return upper * (1 - below) + lower * below


@pytest.mark.parametrize(("fill", "padding"), [("nearest", "edge"), ("reflect", "symmetric"), ("constant", "constant")])
def test_moves(fill: str, padding: Padding) -> None:
    matrices = turning(CHANCE.uniform(-3, 3, COUNT)) @ shearing(CHANCE.uniform(-0.5, 0.5, COUNT), 0)
    matrices = moving(*CHANCE.uniform(-9, 9, (2, COUNT))) @ matrices @ scaling(*CHANCE.uniform(-1.5, 1.5, (2, COUNT)))
    matrices[::4] = moving(*CHANCE.integers(-30, 31, (2, COUNT // 4)))  # copied, among the sampled, or far away
    matrices[1] = scaling(np.array([4.5]), np.array([-4.5]))
    moved = PIXELS.copy()
    warp(moved, matrices, fill)
    plain = [sampled(picture, matrix, padding) for picture, matrix in zip(PIXELS, matrices, strict=True)]
    assert np.abs(moved - np.stack(plain)).max() <= 1


def varied(**augment: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures and targets of as many classes, mixed."""
    still = {"horizontal_flip": False, "rotation": 0.0, "shift": 0.0, "fill": "nearest"}
    params = small_params(augment={**still, **augment}).augment
    return Variation(params, 1).vary(PIXELS, np.eye(COUNT, dtype=np.float32), np.arange(COUNT), 0, 0)


def test_mixup() -> None:
    pixels, shares = varied(mixup=1.0)
    assert (np.sort(shares)[:, -2] > 0).sum() > COUNT / 2
    plain = shares @ PIXELS.reshape(COUNT, -1)
    assert np.abs(pixels.reshape(COUNT, -1) - plain).max() <= 0.51


def test_cutmix() -> None:
    pixels, shares = varied(cutmix=1.0)
    others = PIXELS[(shares * (1 - np.eye(COUNT))).argmax(axis=1)]
    own = (pixels == PIXELS).all(axis=3)
    assert (own | (pixels == others).all(axis=3)).all()
    assert own.mean(axis=(1, 2)) == pytest.approx(shares.diagonal(), abs=0.01)
