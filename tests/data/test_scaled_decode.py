"""Large JPEGs are decoded at a scale, and nothing but time and the last bit of a colour may depend on it."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from darkroom.images.decode import decode, inspect
from darkroom.images.facts import measure_pictures
from darkroom.images.limits import LONG, UnreadablePicture, first_scan
from darkroom.images.scaling import filled_part, jpeg_scale, judged_factor, judged_scale
from large_jpegs import HEIGHT, LARGE, PLAIN, WHOLE, WIDTH
from pictures import encode

RESIZES = ("squash", "crop", "pad")
SIDE = 40


def read(data: bytes, resize: str, decoding: int = 2, size: int = SIDE) -> np.ndarray:
    return decode(data, size, resize, "lime", "auto", decoding=decoding).astype(int)


@pytest.mark.parametrize(
    ("width", "height", "resize", "scale"),
    [
        (4000, 3000, "squash", 4),
        (3000, 4000, "crop", 4),
        (4000, 3000, "pad", 8),
        (8000, 6000, "squash", 8),
        (895, 900, "squash", 1),
        (896, 900, "squash", 2),
        (4000, 400, "squash", 1),
        (4000, 60, "pad", 4),
        (4000, 1, "pad", 1),
    ],
)
def test_twice_the_wanted_side_is_left(width: int, height: int, resize: str, scale: int) -> None:
    assert jpeg_scale(width, height, 224, resize) == jpeg_scale(height, width, 224, resize) == scale


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", LARGE)
def test_at_a_scale_a_picture_looks_as_decoded_whole(name: str, resize: str) -> None:
    difference = read(LARGE[name], resize) - read(LARGE[name], resize, decoding=1)
    assert difference.any()
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 46  # dB


def test_metadata_changes_nothing() -> None:
    for resize in RESIZES:
        assert all(np.array_equal(read(LARGE[name], resize), read(PLAIN, resize)) for name in list(LARGE)[:3])
        assert all(
            np.array_equal(inspect(LARGE[name], "auto")[1], inspect(PLAIN, "auto")[1]) for name in list(LARGE)[:3]
        )


def test_small_pictures_and_other_formats_are_the_same_in_both_versions() -> None:
    png = encode(WHOLE)
    for resize in RESIZES:
        assert np.array_equal(read(png, resize), read(png, resize, decoding=1))
        assert np.array_equal(read(PLAIN, resize, size=400), read(PLAIN, resize, decoding=1, size=400))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_filled_part_is_where_the_picture_is(orientation: int) -> None:
    """A white picture of 20x10 and black behind it, as stored at a third; turned as EXIF says."""
    stored = np.zeros((4, 7), np.uint8)
    stored[: 10 // 3, : 20 // 3] = 255
    turned = Image.fromarray(stored)
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    if orientation > 1:
        turned = turned.transpose(Image.Transpose(turns[orientation]))
    size = (10, 20) if orientation > 4 else (20, 10)
    left, top, right, bottom = filled_part(*size, 3, orientation)
    inside = np.asarray(turned)[int(np.ceil(top)) : int(bottom), int(np.ceil(left)) : int(right)]
    assert (inside == 255).all() and inside.size == (np.asarray(turned) == 255).sum()


@pytest.mark.parametrize("name", ["plain", "with EXIF", "progressive", "turned 6"])
def test_what_is_cut_short_is_found_at_every_scale(name: str) -> None:
    data = LARGE[name]
    for left in (len(data) // 3, len(data) - 3000, len(data) - 300):
        for attempt in (
            lambda cut: inspect(cut, "auto"),
            lambda cut: read(cut, "squash"),
            lambda cut: read(cut, "pad"),
        ):
            with pytest.raises(UnreadablePicture, match="cannot be decoded completely"):
                attempt(data[:left])


def test_damage_is_judged_alike_at_every_scale() -> None:
    """What ingest, which measures at one scale, accepts must decode at that of training and serving."""
    random, kept = np.random.default_rng(0), []
    for data in (PLAIN, LARGE["turned 6"], LARGE["progressive"]):
        for place in [*random.integers(20, 700, 5), *random.integers(700, len(data), 3)]:
            damaged = data[:place] + random.bytes(8) + data[place + 8 :]
            kept.append([_readable(damaged, resize, size) for resize, size in (("pad", 9), ("pad", 96), ("crop", 400))])
            kept[-1].append(_readable(damaged, "", 0))
    assert {len(set(answers)) for answers in kept} == {1}
    assert {answers[0] for answers in kept} == {True, False}


def _readable(data: bytes, resize: str, size: int) -> bool:
    try:
        read(data, resize, size=size) if size else inspect(data, "auto")
    except UnreadablePicture:
        return False
    return True


def test_ingest_measures_at_a_scale_what_it_measures_of_the_whole() -> None:
    facts, pixels = inspect(LARGE["turned 6"], "auto")
    assert (facts["width"], facts["height"], pixels.shape) == (HEIGHT, WIDTH, (519, 386, 3))
    with Image.open(BytesIO(LARGE["turned 6"])) as stored:
        whole = np.asarray(ImageOps.exif_transpose(stored))
    (scaled, small), (full, large) = measure_pictures([pixels]), measure_pictures([whole])
    for name in ("brightness", "contrast", "entropy", "sharpness"):
        np.testing.assert_allclose(scaled[name], full[name], rtol=0.02)
    assert np.abs(small.astype(int) - large).max() <= 2


@pytest.mark.parametrize("side", [767, 768, 1535, 1536, 2047, 3000, 3071, 3072, 4000, 4032, 9000, 12000])
def test_a_picture_is_measured_at_one_size_however_it_was_decoded(side: int) -> None:
    scale = judged_scale(side, side // 2)
    left = -(-side // scale)
    assert scale * judged_factor(left) == judged_factor(side)
    assert 128 < -(-left // judged_factor(left)) <= 256


def test_metadata_is_found_in_long_files_and_what_is_behind_the_scan_is_none() -> None:
    assert len(PLAIN) > LONG
    assert PLAIN[first_scan(PLAIN) :].startswith(b"\xff\xda")
    turned = LARGE["turned 6"]
    assert b"Exif\0" in turned[: first_scan(turned)]
    hidden = PLAIN[:-2] + b"Exif\0" + PLAIN[-2:]
    assert first_scan(hidden) == first_scan(PLAIN)
    assert first_scan(b"\xff\xd8" + bytes(9)) == 11
