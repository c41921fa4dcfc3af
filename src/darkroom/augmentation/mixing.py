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
    """Return the pictures mixed by MixUp or CutMix, float32, and their targets (n, classes) mixed alike.

    When both are on, each picture draws its method, with equal chance. H. Zhang et al., mixup: Beyond empirical risk
    minimization, ICLR 2018; S. Yun et al., CutMix, ICCV 2019.
    """
    if not (params.mixup or params.cutmix):
        return pixels, targets
    count = len(pixels)
    by_cutmix = chance.random(count) < 0.5 if params.mixup and params.cutmix else np.full(count, bool(params.cutmix))
    partner = chance.permutation(count)
    alpha = np.where(by_cutmix, params.cutmix, params.mixup)
    own = chance.beta(alpha, alpha).astype(np.float32)
    own = np.maximum(own, 1 - own)  # a pair is drawn either way round: so none of it is there twice
    inside = _boxes(np.where(by_cutmix, 1 - own, 0), np.ones(count), pixels.shape[1], chance)
    own = np.where(by_cutmix, 1 - inside.mean(axis=(1, 2)), own).astype(np.float32)
    shares = np.where(by_cutmix[:, None, None], ~inside, own[:, None, None])[..., None].astype(np.float32)
    mixed = pixels.astype(np.float32)
    others = mixed[partner]
    mixed -= others  # in place: a batch of large pictures is not copied again and again
    mixed *= shares
    mixed += others
    return mixed, targets * own[:, None] + targets[partner] * (1 - own)[:, None]


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
    inside: np.ndarray = down[:, :, None] & across[:, None, :]
    return inside
