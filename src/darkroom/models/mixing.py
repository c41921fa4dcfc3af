"""Training pictures that are mixed with each other, or lose a part."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from darkroom.params.model import Augment

LARGEST_HOLE = 1 / 3  # of the picture's area
SMALLEST_HOLE = 0.02


def mix(
    params: "Augment", pixels: np.ndarray, targets: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch mixed by MixUp or CutMix, with equal chance when both are on; targets (n, classes) mix alike.

    H. Zhang et al., mixup: Beyond empirical risk minimization, ICLR 2018; S. Yun et al., CutMix, ICCV 2019.
    """
    methods = [(method, alpha) for method, alpha in ((_mixup, params.mixup), (_cutmix, params.cutmix)) if alpha]
    if not methods:
        return pixels, targets
    method, alpha = methods[chance.integers(len(methods))]
    partner = chance.permutation(len(pixels))
    shares = chance.beta(alpha, alpha, len(pixels)).astype(np.float32)
    shares = np.maximum(shares, 1 - shares)  # a pair is drawn either way round: so none of it is there twice
    # float32 by either method: parts of an epoch may not differ in their kind
    pixels, shares = method(pixels.astype(np.float32), partner, shares, chance)
    return pixels, targets * shares[:, None] + targets[partner] * (1 - shares)[:, None]


def _mixup(
    pixels: np.ndarray,
    partner: np.ndarray,
    shares: np.ndarray,
    chance: np.random.Generator,  # noqa: ARG001
) -> tuple[np.ndarray, np.ndarray]:
    own = shares[:, None, None, None]
    return pixels * own + pixels[partner] * (1 - own), shares


def _cutmix(
    pixels: np.ndarray, partner: np.ndarray, shares: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    inside = _boxes(1 - shares, np.ones_like(shares), pixels.shape[1], chance)
    shares = 1 - inside.mean(axis=(1, 2), dtype=np.float32)
    return np.where(inside[..., None], pixels[partner], pixels), shares


def erase(probability: float, pixels: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return the pictures; each loses a box to noise with `probability`.

    Z. Zhong et al., Random erasing data augmentation, AAAI 2020.
    """
    if not probability:
        return pixels
    count = len(pixels)
    areas = chance.uniform(SMALLEST_HOLE, LARGEST_HOLE, count) * (chance.random(count) < probability)
    aspects = np.exp(chance.uniform(np.log(0.3), np.log(1 / 0.3), count))
    hole = _boxes(areas, aspects, pixels.shape[1], chance)
    erased = pixels.copy()
    erased[hole] = chance.integers(0, 256, (int(hole.sum()), pixels.shape[3]), np.uint8)
    return erased


def _boxes(areas: np.ndarray, aspects: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
    """Return (n, side, side) bool: a box in each picture of about `areas`, shares, and `aspects`, wide over high."""
    sides = [np.rint(np.minimum(np.sqrt(areas * one), 1) * side) for one in (1 / aspects, aspects)]
    starts = [np.floor(chance.random(len(areas)) * (side - length + 1)) for length in sides]
    places = np.arange(side)
    down, across = (
        (places >= start[:, None]) & (places < (start + length)[:, None])
        for start, length in zip(starts, sides, strict=True)
    )
    return down[:, :, None] & across[:, None, :]
