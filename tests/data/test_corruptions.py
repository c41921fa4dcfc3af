"""Corrupted pictures: what each kind does, at small and large sides."""

from itertools import pairwise
from typing import get_args

import cv2
import numpy as np
import pytest

from darkroom.corruption.corruptions import KINDS, SEVERITIES, corrupt
from darkroom.params.evaluation import Corruption


def fields(count: int, side: int) -> np.ndarray:
    """Return smooth random pictures with some detail, as photographs have."""
    random = np.random.default_rng(3)
    pixels = np.zeros((count, side, side, 3), np.float32)
    for cells in (3, side // 2):
        for picture in pixels:
            drawn = random.normal(0, 1 / cells**0.3, (cells, cells, 3)).astype(np.float32)
            picture += cv2.resize(drawn, (side, side), interpolation=cv2.INTER_CUBIC)
    return (110 + 50 * pixels).clip(0, 255).astype(np.uint8)


def distances(pixels: np.ndarray, kind: Corruption) -> list[float]:
    """Return the mean distance from the clean pictures at each severity."""
    rows = np.arange(len(pixels))
    corrupted = [corrupt(pixels, kind, severity, rows) for severity in SEVERITIES]
    assert all(part.shape == pixels.shape and part.dtype == np.uint8 for part in corrupted)
    return [float(np.abs(part.astype(float) - pixels).mean()) for part in corrupted]


def test_every_kind_that_params_may_name_is_there() -> None:
    assert set(KINDS) == set(get_args(Corruption))


@pytest.mark.parametrize("side", [8, 32, 96])
@pytest.mark.parametrize("kind", KINDS)
def test_it_changes_pictures_the_more_the_severer(kind: Corruption, side: int) -> None:
    found = distances(fields(40, side), kind)
    compared = found[::4] if (kind, side) == ("pixelate", 8) else found  # some grids happen to fit eight pixels better
    assert min(found) > 0.5 and all(low < high for low, high in pairwise(compared)), found


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_corrupted_alike_in_any_batch(kind: Corruption) -> None:
    pixels, rows = fields(6, 16), np.arange(100, 106)
    whole = corrupt(pixels, kind, 3, rows)
    turned = [corrupt(pixels[[place]], kind, 3, rows[[place]])[0] for place in range(5, -1, -1)]
    assert np.array_equal(whole, turned[::-1])


@pytest.mark.parametrize("kind", ["gaussian_noise", "glass_blur", "motion_blur", "snow", "fog", "elastic"])
def test_each_row_has_its_own_chance(kind: Corruption) -> None:
    same = fields(1, 16).repeat(2, axis=0)
    one, other = corrupt(same, kind, 5, np.array([1, 2]))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0, 255])
def test_plain_pictures_of_the_least_side_stand_it(kind: Corruption, value: int) -> None:
    plain = np.full((1, 4, 4, 3), value, np.uint8)
    assert corrupt(plain, kind, 5, np.zeros(1, np.int64)).shape == plain.shape


def test_brightness_keeps_the_hue_and_contrast_the_mean() -> None:
    pixels, rows = np.full((1, 8, 8, 3), (100, 50, 0), np.uint8), np.zeros(1, np.int64)
    assert corrupt(pixels, "brightness", 2, rows)[0, 0, 0] == pytest.approx((125.5, 62.75, 0), abs=1)
    pixels[:, ::2] = (200, 100, 40)
    grey = corrupt(pixels, "contrast", 5, rows)
    assert grey.mean(axis=(0, 1, 2)) == pytest.approx(pixels.mean(axis=(0, 1, 2)), abs=1)
    assert np.ptp(grey[..., 0]) == pytest.approx(100 * 0.15, abs=1)
