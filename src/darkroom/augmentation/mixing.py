"""Training pictures that are mixed with each other, or lose a part."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from darkroom.params.model import Augment

LARGEST_HOLE = 1 / 3  # of the picture's area
SMALLEST_HOLE = 0.02


def mix(params: "Augment", pixels: np.ndarray, targets: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Mix the pictures by MixUp or CutMix, in place; return their targets (n, classes) mixed alike.

    When both are on, each picture draws its method, with equal chance. H. Zhang et al., mixup: Beyond empirical risk
    minimization, ICLR 2018; S. Yun et al., CutMix, ICCV 2019.
    """
    import cv2

    if not (params.mixup or params.cutmix):
        return targets
    count = len(pixels)
    by_cutmix = chance.random(count) < 0.5 if params.mixup and params.cutmix else np.full(count, bool(params.cutmix))
    partner = chance.permutation(count)
    alpha = np.where(by_cutmix, params.cutmix, params.mixup)
    own = chance.beta(alpha, alpha).astype(np.float32)
    own = np.maximum(own, 1 - own)  # a pair is drawn either way round: so none of it is there twice
    boxes = _boxes(np.where(by_cutmix, 1 - own, 0), np.ones(count), pixels.shape[1], chance)
    own = np.where(by_cutmix, 1 - _areas(boxes) / pixels.shape[1] ** 2, own).astype(np.float32)
    for number, other in _pairs(pixels, partner.tolist()):
        picture, (top, bottom, left, right) = pixels[number], boxes[number].tolist()
        if by_cutmix[number]:
            picture[top:bottom, left:right] = other[top:bottom, left:right]
        else:
            cv2.addWeighted(picture, float(own[number]), other, 1 - float(own[number]), 0, dst=picture)
    return targets * own[:, None] + targets[partner] * (1 - own)[:, None]


def _pairs(pixels: np.ndarray, partner: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each picture's number and its partner as it was, in an order that lets the picture be overwritten then."""
    done = [False] * len(partner)
    for first in range(len(partner)):
        if done[first]:
            continue
        kept, number = pixels[first].copy(), first
        while not done[number]:
            done[number], other = True, partner[number]
            yield number, kept if other == first else pixels[other]
            number = other


def erase(probability: float, pixels: np.ndarray, chance: np.random.Generator) -> None:
    """Fill a box of each picture, in place, with noise, with `probability`.

    Z. Zhong et al., Random erasing data augmentation, AAAI 2020.
    """
    if not probability:
        return
    count = len(pixels)
    areas = chance.uniform(SMALLEST_HOLE, LARGEST_HOLE, count) * (chance.random(count) < probability)
    aspects = np.exp(chance.uniform(np.log(0.3), np.log(1 / 0.3), count))
    boxes = _boxes(areas, aspects, pixels.shape[1], chance)
    noise = chance.integers(0, 256, (int(_areas(boxes).sum()), pixels.shape[3]), np.uint8)
    used = 0
    for number in np.flatnonzero(_areas(boxes)).tolist():
        top, bottom, left, right = boxes[number].tolist()
        hole = pixels[number, top:bottom, left:right]
        size = hole.shape[0] * hole.shape[1]
        hole[:] = noise[used : used + size].reshape(hole.shape)
        used += size


def _boxes(areas: np.ndarray, aspects: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
    """Return boxes (n, 4), from top to bottom, left to right, of about `areas`, shares, and `aspects`, wide to high."""
    sides = [np.rint(np.minimum(np.sqrt(areas * one), 1) * side) for one in (1 / aspects, aspects)]
    starts = [np.floor(chance.random(len(areas)) * (side - length + 1)) for length in sides]
    ends = [start + length for start, length in zip(starts, sides, strict=True)]
    return np.stack([starts[0], ends[0], starts[1], ends[1]], axis=1).astype(int)


def _areas(boxes: np.ndarray) -> np.ndarray:
    """Return the pixels in each box (n,)."""
    areas: np.ndarray = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    return areas
