from typing import Any, Literal

import numpy as np
import pytest

from darkroom.augmentation.geometry import moving, scaling, turning
from darkroom.augmentation.randaugment import CHANGES
from darkroom.augmentation.variation import Variation
from darkroom.augmentation.warp import warp
from darkroom.params.model import Augment

OFF: dict[str, Any] = {"horizontal_flip": False, "vertical_flip": False, "rotation": 0.0, "shift": 0.0, "zoom": 0.0}
OFF |= {"shear": 0.0, "crop": 1.0, "fill": "nearest", "brightness": 0.0, "contrast": 0.0, "rand_augment": 0}
OFF |= {"magnitude": 5.0, "erase": 0.0, "mixup": 0.0, "cutmix": 0.0}
ON: dict[str, Any] = {"horizontal_flip": True, "vertical_flip": True, "rotation": 30.0, "shift": 0.2, "zoom": 0.3}
ON |= {"shear": 20.0, "crop": 0.3, "brightness": 0.3, "contrast": 0.5, "rand_augment": 2, "erase": 1.0}
ON |= {"mixup": 0.5, "cutmix": 1.0}
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 12, 12, 3)).astype(np.uint8)
TARGETS = np.eye(4, dtype=np.float32)[np.arange(32) % 4]
ROWS = np.arange(100, 132)
Padding = Literal["edge", "symmetric", "constant"]


def vary(seed: int = 3, epoch: int = 0, part: int = 0, pixels: np.ndarray = PIXELS, **changes: Any) -> Any:
    return Variation(Augment(**{**OFF, **changes}), seed).vary(pixels, TARGETS, ROWS, epoch, part)


def test_off_leaves_pictures_and_targets_alone() -> None:
    pixels, targets = vary()
    assert pixels is PIXELS and targets is TARGETS


def test_seed_epoch_and_part_decide_and_nothing_else() -> None:
    first = vary(**ON)
    for one, other in zip(first, vary(**ON), strict=True):
        assert np.array_equal(one, other)
    for changed in ({"seed": 4}, {"epoch": 1}, {"part": 1}):
        assert not np.array_equal(first[0], vary(**{**ON, **changed})[0])


@pytest.mark.parametrize("key", ON)
def test_each_key_changes_pictures_and_keeps_their_range(key: str) -> None:
    pixels = vary(epoch=1, **{key: ON[key]})[0]
    assert not np.array_equal(pixels, PIXELS)
    assert pixels.shape == PIXELS.shape and pixels.min() >= 0 and pixels.max() <= 255.001


@pytest.mark.parametrize("key", [key for key in ON if "flip" not in key and key not in ("mixup", "cutmix")])
def test_each_picture_varies_on_its_own(key: Any) -> None:
    same = np.repeat(PIXELS[:1], 32, axis=0)
    assert len({picture.tobytes() for picture in vary(pixels=same, **{key: ON[key]})[0]}) > 1


@pytest.mark.parametrize(("key", "mirror"), [("horizontal_flip", np.s_[:, ::-1]), ("vertical_flip", np.s_[::-1])])
def test_every_picture_is_mirrored_every_other_time(key: str, mirror: Any) -> None:
    epochs = [vary(epoch=epoch, **{**OFF, key: True})[0] for epoch in range(4)]
    for place, picture in enumerate(PIXELS):
        turned = [np.array_equal(epoch[place], picture[mirror]) for epoch in epochs]
        kept = [np.array_equal(epoch[place], picture) for epoch in epochs]
        assert sum(turned) == sum(kept) == 2
    assert 8 < sum(np.array_equal(new, old) for new, old in zip(epochs[0], PIXELS, strict=True)) < 24


def test_a_picture_is_mirrored_wherever_it_stands_in_the_epoch() -> None:
    variation = Variation(Augment(**{**OFF, "horizontal_flip": True}), 3)
    turned = variation.vary(PIXELS[::-1], TARGETS, ROWS[::-1], 0, 5)[0]
    assert np.array_equal(turned[::-1], vary(horizontal_flip=True)[0])


@pytest.mark.parametrize(("fill", "padding"), [("nearest", "edge"), ("reflect", "symmetric"), ("constant", "constant")])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("side", [11, 12])
def test_whole_pixels_are_copied_and_the_border_filled(fill: str, padding: Padding, kind: Any, side: int) -> None:
    chance = np.random.default_rng(1)
    across, down = chance.integers(-4, 5, (2, 32))
    mirrored = chance.choice([-1.0, 1.0], (2, 32))
    pixels = PIXELS[:, :side, :side].astype(kind)
    moved = pixels.copy()
    warp(moved, moving(across, down) @ scaling(*mirrored), fill)
    for new, old, right, below, (left, top) in zip(moved, pixels, across, down, mirrored.T.astype(int), strict=True):
        padded = np.pad(old, ((4, 4), (4, 4), (0, 0)), padding)
        expected = padded[4 + below :, 4 + right :][:side, :side][::top, ::left]
        assert np.array_equal(new, expected)


def test_a_quarter_turn_is_exact() -> None:
    turned = PIXELS[:1].copy()
    warp(turned, turning(np.array([np.pi / 2])), "nearest")
    assert np.abs(turned[0].astype(int) - np.rot90(PIXELS[0])).max() < 0.01


def test_no_border_turns_black() -> None:
    white = vary(pixels=np.full_like(PIXELS, 255), rotation=45.0, shift=0.3, zoom=0.5, shear=30.0, crop=0.5)[0]
    assert white.min() > 254.9


def test_either_way_of_mixing_gives_the_same_kind_of_pictures() -> None:
    assert {vary(part=part, mixup=0.5, cutmix=1.0)[0].dtype.name for part in range(8)} == {"uint8"}


@pytest.mark.parametrize("key", ["mixup", "cutmix"])
def test_targets_are_mixed_as_the_pictures_are(key: str) -> None:
    plain = np.repeat(np.arange(4, dtype=np.uint8)[np.arange(32) % 4] * 80, 12 * 12 * 3).reshape(PIXELS.shape)
    pixels, targets = vary(pixels=plain, **{**OFF, key: 1.0})
    assert targets.sum(axis=1) == pytest.approx(np.ones(32), abs=1e-5)
    assert (targets.max(axis=1) < 1).any()
    if key == "mixup":
        assert (targets[np.arange(32), vary(pixels=plain)[1].argmax(axis=1)] >= 0.5).all()  # mostly the picture's own
    assert pixels.mean(axis=(1, 2, 3)) == pytest.approx(targets @ (np.arange(4) * 80), abs=0.51)


def mixed_by(epoch: int) -> list[str]:
    """Return how each picture, of one colour with a partner of another, was mixed."""
    plain = np.repeat(np.arange(32, dtype=np.uint8) * 8, 12 * 12 * 3).reshape(PIXELS.shape)
    pixels = vary(epoch=epoch, pixels=plain, mixup=1.0, cutmix=1.0)[0]
    kept = (pixels == plain).all(axis=3)
    return [{0: "mixup", 1: "unmixed"}.get(share, "cutmix") for share in kept.mean(axis=(1, 2)).tolist()]


def test_each_picture_draws_its_method_of_mixing() -> None:
    methods = [method for epoch in range(8) for method in mixed_by(epoch)]
    assert all({"mixup", "cutmix"} <= set(mixed_by(epoch)) for epoch in range(8))
    assert methods.count("mixup") == pytest.approx(128, abs=30)


def test_targets_are_those_of_either_method_in_one_batch() -> None:
    plain = np.repeat(np.arange(4, dtype=np.uint8)[np.arange(32) % 4] * 80, 12 * 12 * 3).reshape(PIXELS.shape)
    pixels, targets = vary(pixels=plain, mixup=1.0, cutmix=1.0)
    assert targets.sum(axis=1) == pytest.approx(np.ones(32), abs=1e-5)
    assert pixels.mean(axis=(1, 2, 3)) == pytest.approx(targets @ (np.arange(4) * 80), abs=0.51)


def test_erasing_takes_a_box_from_the_share_of_pictures() -> None:
    black = np.zeros((1000, 12, 12, 3), np.uint8)
    variation = Variation(Augment(**{**OFF, "erase": 0.3}), 0)
    erased = variation.vary(black, np.ones((1000, 1), np.float32), np.arange(1000), 0, 0)[0]
    touched = np.any(erased > 0, axis=3)
    assert 0.2 < touched.any(axis=(1, 2)).mean() < 0.35
    assert touched.mean(axis=(1, 2)).max() < 0.45


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_change_of_light_and_colour_keeps_the_range(change: Any) -> None:
    for strength in (-1.0, -0.5, 0.5, 1.0):
        changed = PIXELS.copy()
        change(list(changed), np.full(32, strength))
        assert not np.array_equal(changed, PIXELS)


def test_equalising_is_that_of_pillow_nearly() -> None:
    from PIL import Image, ImageOps

    equalise = next(change for change in CHANGES if "equal" in change.__name__)
    large = PIXELS.repeat(8, axis=1).repeat(8, axis=2)  # of a small one Pillow equalises little
    theirs = np.stack([np.asarray(ImageOps.equalize(Image.fromarray(picture))) for picture in large])
    equalise(list(large), np.ones(32))
    assert np.abs(large.astype(int) - theirs).mean() < 4
