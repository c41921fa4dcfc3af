import numpy as np
import pytest
from PIL import Image, ImageFilter

from darkroom.images.facts import measure_pictures
from darkroom.images.thumbnails import LUMA_BYTES, SIDE, THUMBNAIL_BYTES, _frequencies, hash_thumbnails
from pictures import corners, noise


def facts_of(*pictures: Image.Image) -> dict[str, np.ndarray]:
    return measure_pictures([np.asarray(picture.convert("RGB")) for picture in pictures])[0]


def smooth(name: str, side: int = 64) -> Image.Image:
    """Return a picture with large structures, as photographs have."""
    return noise(name, 8).resize((side, side), Image.Resampling.BICUBIC)


def test_brightness_goes_from_black_to_white() -> None:
    facts = facts_of(*(Image.new("L", (9, 7), level) for level in (0, 128, 255)))
    assert facts["brightness"] == pytest.approx([0, 128 / 255, 1], abs=1e-4)
    assert facts["brightest"] == pytest.approx([0, 128 / 255, 1], abs=1e-4)
    assert facts["contrast"] == pytest.approx([0, 0, 0])
    assert facts["entropy"] == pytest.approx([0, 0, 0])


def test_percentiles_pass_over_a_few_extreme_pixels() -> None:
    picture = np.full((20, 20), 100, np.uint8)
    picture[0, :3], picture[1, :3] = 255, 0
    facts = facts_of(Image.fromarray(picture))
    assert facts["darkest"] == facts["brightest"] == pytest.approx([100 / 255], abs=1e-4)


def test_half_black_half_white_has_all_the_contrast_and_one_bit() -> None:
    picture = np.zeros((10, 10), np.uint8)
    picture[:, 5:] = 255
    facts = facts_of(Image.fromarray(picture))
    assert facts["contrast"] == pytest.approx([0.5]) and facts["entropy"] == pytest.approx([1])


@pytest.mark.parametrize("side", [32, 100, 700])
def test_blur_takes_sharpness_away(side: int) -> None:
    sharp = noise("sharp", side // 4).resize((side, side), Image.Resampling.NEAREST)
    blurred = sharp.filter(ImageFilter.GaussianBlur(side / 40))
    facts = facts_of(sharp, blurred)
    assert facts["sharpness"][1] < facts["sharpness"][0] / 4


def test_a_line_of_pixels_has_no_sharpness() -> None:
    assert facts_of(noise("line").resize((12, 2)))["sharpness"] == [0]


def test_grey_is_told_from_colour_whatever_the_mode() -> None:
    grey = smooth("grey").convert("L")
    facts = facts_of(grey.convert("RGB"), smooth("colour"), corners())
    assert facts["greyscale"].tolist() == [True, False, False]


def test_pictures_measured_together_are_as_measured_alone() -> None:
    pictures = [noise("a", 32), noise("b", 32), smooth("c"), corners(), noise("d", 300), smooth("e", 600)]
    pictures += [noise(name, side) for side in (100, 300) for name in ("f", "g", "h")]  # sums of many pixels
    together = facts_of(*pictures)
    alone = [facts_of(picture) for picture in pictures]
    for name, values in together.items():
        assert values.tolist() == [facts[name][0] for facts in alone]


def test_the_hash_is_that_of_the_thumbnail_in_16_digits() -> None:
    pixels = [np.asarray(smooth(name)) for name in "abc"]
    facts, thumbnails = measure_pictures(pixels)
    assert [int(text, 16) for text in facts["phash"]] == hash_thumbnails(thumbnails).tolist()
    assert {len(text) for text in facts["phash"]} == {16}


def test_the_hash_hardly_changes_with_size_and_light_and_much_with_the_picture() -> None:
    pictures = [smooth("a", 200), smooth("a", 90), smooth("a", 200).point(lambda level: level * 0.9), smooth("b", 200)]
    one, smaller, darker, other = (int(text, 16) for text in facts_of(*pictures)["phash"])
    assert (one ^ smaller).bit_count() <= 3 and (one ^ darker).bit_count() <= 3
    assert (one ^ other).bit_count() > 14


def test_the_sums_behind_the_hash_are_exact_on_every_processor() -> None:
    """Mirrored pictures have frequencies of exactly 0, whose sign rounding would decide."""
    noisy = np.random.default_rng(0).integers(0, 256, (50, SIDE, SIDE), dtype=np.uint8)
    mirrored = np.concatenate([noisy[:, :, : SIDE // 2], noisy[:, :, : SIDE // 2][:, :, ::-1]], axis=2)
    luma = np.concatenate([noisy, mirrored])
    rows, columns, basis = _frequencies()
    cosines = basis.astype(np.int64)
    spectrum = np.einsum("ku,nuv,lv->nkl", cosines, luma.astype(np.int64), cosines)[:, rows, columns]
    assert (spectrum == 0).any() and np.abs(spectrum).max() < 2**53
    expected = [int("".join("01"[value] for value in row), 2) for row in (spectrum > 0).astype(int)]
    padding = np.zeros((len(luma), THUMBNAIL_BYTES - LUMA_BYTES), np.uint8)
    thumbnails = np.concatenate([luma.reshape(len(luma), -1), padding], axis=1)
    assert hash_thumbnails(thumbnails).tolist() == expected


def test_pictures_of_one_luma_differ_by_it() -> None:
    hashes = hash_thumbnails(np.repeat(np.arange(256, dtype=np.uint8)[:, None], THUMBNAIL_BYTES, axis=1))
    assert len(set(hashes.tolist())) == 256
    assert (np.bitwise_count(hashes[1:] ^ hashes[:-1]) == 8).all()
