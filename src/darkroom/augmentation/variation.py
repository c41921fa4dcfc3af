"""How training pictures are varied: the seed and the numbers of epoch and part decide it, whatever was drawn before."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.geometry import transforms
from darkroom.augmentation.light import change_light
from darkroom.augmentation.mixing import erase, mix
from darkroom.augmentation.randaugment import rand_augment
from darkroom.augmentation.warp import warp

if TYPE_CHECKING:
    from darkroom.params.model import Augment


@dataclass(frozen=True)
class Variation:
    """What varies pictures, those of a part of an epoch at once.

    A picture's first mirror image is drawn, then it alternates with each epoch, so that both are seen equally often
    (K. Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024, arXiv:2404.00498).
    """

    params: "Augment"
    seed: int

    def vary(
        self, pixels: np.ndarray, targets: np.ndarray, rows: np.ndarray, epoch: int, part: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the varied pixels (n, side, side, 3) uint8, and targets (n, classes) float32.

        `pixels` is uint8, `targets` one-hot; `rows` (n,) int64 names the pictures, `part` counts from 0.
        """
        import cv2

        if not _is_on(self.params):
            return pixels, targets
        cv2.setNumThreads(1)  # a picture is too small to be shared, and the network wants the other cores
        chance = np.random.default_rng([self.seed, 1 + epoch, part, 1])
        params, varied = self.params, pixels.copy()
        moves = transforms(params, self._mirrored(rows, epoch), pixels.shape[1], chance)
        moves = rand_augment(params, varied, moves, chance)
        warp(varied, moves, params.fill)
        change_light(params, varied, chance)
        targets = mix(params, varied, targets, chance)
        erase(params.erase, varied, chance)
        return varied, targets

    def _mirrored(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """Return whether each picture is mirrored (left and right, top and bottom) (n, 2) in this epoch."""
        first = _bits(rows, self.seed)
        turn = np.stack([first + epoch, first // 2 + epoch // 2], axis=1) % 2 == 1
        mirrored: np.ndarray = turn & np.array([self.params.horizontal_flip, self.params.vertical_flip])
        return mirrored


def _is_on(params: "Augment") -> bool:
    """Return whether anything varies."""
    values = params.model_dump(exclude={"fill", "magnitude"})
    return any({**values, "crop": params.crop < 1}.values())


def _bits(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return a number 0 to 3 for each row, evenly spread, the same wherever the row stands."""
    own = np.uint64(seed * 0xD1B54A32D192ED03 % 2**64)
    mixed = (rows.astype(np.uint64) + own) * np.uint64(0x9E3779B97F4A7C15)  # S. Vigna's SplitMix64
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(62)).astype(np.int64)
