import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from darkroom.curation.groups import connect
from darkroom.dedupe import alike as alike_module
from darkroom.dedupe.alike import similarity
from darkroom.dedupe.candidates import NEAREST, find_candidates
from darkroom.dedupe.near import find_near_pairs
from darkroom.execution.workers import worker_pool
from darkroom.images.facts import measure_pictures
from defaults import default_params
from pictures import encode, ingested, noise, pictures_of, write_files

DEDUPE = default_params().dedupe
ENOUGH = DEDUPE.similarity


def photograph(name: str, width: int = 160, height: int = 120) -> Image.Image:
    """Return a picture with structures of several sizes."""
    coarse, fine = noise(name, 6), noise(f"{name} fine", 24)
    layers = [layer.resize((width, height), Image.Resampling.BICUBIC) for layer in (coarse, fine)]
    return Image.blend(layers[0], layers[1], 0.35)


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encode(picture, "JPEG", quality=quality))).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "recompressed": lambda picture: recompressed(picture, 40),
    "half as large": lambda picture: picture.resize((80, 60)),
    "twice as large": lambda picture: picture.resize((320, 240)),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.85),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "cut at the left and above": lambda picture: picture.crop((8, 6, 160, 120)),
    "cut all around": lambda picture: picture.crop((4, 3, 156, 117)),
}


def thumbnails_of(*pictures: Image.Image) -> np.ndarray:
    return measure_pictures([np.asarray(picture) for picture in pictures])[1]


def alike(one: Image.Image, other: Image.Image) -> float:
    return float(similarity(thumbnails_of(one, other), np.array([[0, 1]]), ENOUGH)[0])


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_alike_from_both_sides(change: str) -> None:
    for name in "abcdefgh":
        picture = photograph(name)
        copy = CHANGES[change](picture)
        assert alike(picture, copy) > ENOUGH and alike(copy, picture) > ENOUGH


def coarser(correlation: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Return `correlation` as a processor finds it that differs in the last bits of float32, and in some more."""

    def found(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        exact = correlation(one, other)
        return exact if exact.dtype == np.float64 else exact * np.linspace(0.9999, 1.0001, len(exact), dtype=np.float32)

    return found


def test_another_processor_finds_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [photograph(name) for name in "abc"]
    thumbnails = thumbnails_of(*pictures, *(change(picture) for change in CHANGES.values() for picture in pictures))
    pairs = np.array([(row % len(pictures), row) for row in range(len(pictures), len(thumbnails))])
    thresholds = np.unique(similarity(thumbnails, pairs, ENOUGH)).tolist()  # each is what a pair just reaches
    here = [similarity(thumbnails, pairs, least) >= least for least in thresholds]
    monkeypatch.setattr(alike_module, "_correlation", coarser(alike_module._correlation))
    there = [similarity(thumbnails, pairs, least) >= least for least in thresholds]
    assert np.array_equal(here, there)


def test_other_pictures_are_not_alike() -> None:
    pictures = [photograph(str(number)) for number in range(30)]
    pairs = np.array([(one, other) for one in range(30) for other in range(one)])
    assert similarity(thumbnails_of(*pictures), pairs, ENOUGH).max() < 0.6


def test_one_shape_in_two_colours_is_not_alike() -> None:
    grey = np.asarray(photograph("shirt").convert("L"), np.float32)[:, :, None]
    red, blue = ((grey * colour).astype(np.uint8) for colour in ([1, 0.3, 0.3], [0.3, 0.3, 1]))
    assert alike(Image.fromarray(red), Image.fromarray(blue)) == 0
    assert alike(Image.fromarray(red), Image.fromarray(red).convert("L").convert("RGB")) > ENOUGH


def test_plain_pictures_are_not_alike_and_no_pairs_are_no_pairs() -> None:
    assert alike(Image.new("RGB", (40, 40), "white"), Image.new("RGB", (40, 40), "black")) < ENOUGH
    assert len(similarity(thumbnails_of(photograph("a")), np.empty((0, 2), np.int64), ENOUGH)) == 0


def all_pairs(hashes: np.ndarray, radius: int) -> set[tuple[int, int]]:
    close = np.bitwise_count(hashes[:, None] ^ hashes) <= radius
    return {(int(one), int(other)) for one, other in zip(*np.nonzero(np.triu(close, 1)), strict=True)}


@given(st.lists(st.integers(0, 2**64 - 1), max_size=9), st.integers(0, 20))
def test_among_few_hashes_all_close_pairs_are_found(values: Any, radius: Any) -> None:
    hashes = np.array(values, np.uint64)
    found = find_candidates(hashes, radius)
    assert found.shape[1] == 2 and found.tolist() == sorted(found.tolist())
    assert {tuple(pair) for pair in found.tolist()} == all_pairs(hashes, radius)


def test_among_many_hashes_the_planted_pairs_are_found() -> None:
    chance = np.random.default_rng(1)
    hashes = chance.integers(0, 2**64, 20_000, np.uint64)
    planted = hashes[:1000].copy()
    for row in range(len(planted)):
        for bit in chance.choice(64, row % 9, replace=False):
            planted[row] ^= np.uint64(1) << np.uint64(bit)
    found = {tuple(pair) for pair in find_candidates(np.concatenate([hashes, planted]), 14).tolist()}
    assert sum((row, 20_000 + row) in found for row in range(1000)) >= 980


@pytest.mark.parametrize(("clusters", "members", "flips"), [(50, 100, 3), (50, 100, 6), (5, 2000, 4)])
def test_a_large_set_of_copies_stays_connected(clusters: int, members: int, flips: int) -> None:
    chance = np.random.default_rng(3)
    hashes = np.repeat(chance.integers(0, 2**64, clusters, np.uint64), members)
    for _ in range(flips):
        hashes ^= np.uint64(1) << chance.integers(0, 64, len(hashes), np.uint64)
    component = connect(len(hashes), [find_candidates(hashes, 14)]).reshape(clusters, members)
    largest = [np.unique(row, return_counts=True)[1].max() for row in component]
    assert largest == [members] * clusters


def test_where_all_look_alike_the_pairs_stay_few() -> None:
    hashes = np.random.default_rng(2).integers(0, 256, 3000).astype(np.uint64)
    assert len(find_candidates(hashes, 14)) <= NEAREST * len(hashes)


def test_near_duplicates_of_a_folder_are_found(tmp_path: Path) -> None:
    one, other, third = (photograph(name) for name in ("one", "other", "third"))
    files = {
        "a/one.png": encode(one),
        "a/one again.png": encode(one),
        "a/small.jpg": encode(one.resize((90, 70)), "JPEG", quality=70),
        "b/other.png": encode(other),
        "b/cut.png": encode(CHANGES["cut all around"](other)),
        "b/third.png": encode(third),
    }
    manifest = ingested(write_files(tmp_path / "raw", files), tmp_path / "images")
    pairs = find_near_pairs(pictures_of(manifest), tmp_path / "images", DEDUPE, tmp_path, worker_pool)
    named = {frozenset(manifest["path"].iloc[list(pair)]) for pair in pairs}
    assert len(named) == len(pairs) == 2
    assert frozenset({"b/other.png", "b/cut.png"}) in named
    (ones,) = named - {frozenset({"b/other.png", "b/cut.png"})}
    assert "a/small.jpg" in ones and len(ones & {"a/one.png", "a/one again.png"}) == 1
