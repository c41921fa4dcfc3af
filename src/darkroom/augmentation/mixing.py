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
    """Return the pictures mixed by MixUp or CutMix and their targets (n, classes) mixed alike.

    When both are on, each picture draws its method, with equal chance. H. Zhang et al., mixup: Beyond empirical risk
    minimization, ICLR 2018; S. Yun et al., CutMix, ICCV 2019.
    """
    import cv2

    if not (params.mixup or params.cutmix):
        return pixels, targets
    count = len(pixels)
    by_cutmix = chance.random(count) < 0.5 if params.mixup and params.cutmix else np.full(count, bool(params.cutmix))
    partner = chance.permutation(count)
    alpha = np.where(by_cutmix, params.cutmix, params.mixup)
    own = chance.beta(alpha, alpha).astype(np.float32)
    own = np.maximum(own, 1 - own)  # a pair is drawn either way round: so none of it is there twice
    boxes = _boxes(np.where(by_cutmix, 1 - own, 0), np.ones(count), pixels.shape[1], chance)
    own = np.where(by_cutmix, 1 - _areas(boxes) / pixels.shape[1] ** 2, own).astype(np.float32)
    mixed = np.empty_like(pixels)
    for number, other in enumerate(partner.tolist()):
        if by_cutmix[number]:
            _paste(pixels[number], pixels[other], boxes[number].tolist(), mixed[number])
        else:
            share = float(own[number])
            cv2.addWeighted(pixels[number], share, pixels[other], 1 - share, 0, dst=mixed[number])
    return mixed, targets * own[:, None] + targets[partner] * (1 - own)[:, None]


def _paste(picture: np.ndarray, other: np.ndarray, box: list[int], place: np.ndarray) -> None:
    """Write a picture (side, side, 3) to `place`, in its box another one."""
    top, bottom, left, right = box
    place[:] = picture
    place[top:bottom, left:right] = other[top:bottom, left:right]


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
