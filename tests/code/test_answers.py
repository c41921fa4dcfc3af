"""Answers to requests, with the mean colours of a picture in place of a network."""

import base64

import numpy as np
import pytest
from PIL import Image

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.package.answers import COLUMNS, PIXELS_AT_ONCE, Answers
from darkroom.params.load import load_params
from pictures import ROOT, encode, png_header

LIMITS = {"rows": 1000, "bytes": 10**7, "picture_bytes": 10**6, "pixels": 10_000}
RED = base64.b64encode(encode(Image.new("RGB", (8, 8), "red"))).decode()
BLUE = base64.b64encode(encode(Image.new("RGB", (8, 8), "blue"), "JPEG")).decode()


RULE = Rule(temperature=1.0, level=0.9, threshold=0.4)
COLOURFUL = Familiarity(np.eye(3, dtype=np.float32), 1, 0.5)  # pictures of one of the three colours


def means(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares: np.ndarray = pixels.reshape(len(pixels), -1, 3).mean(axis=1) / 255
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9), shares


def answers(size: int = 8, **limits: int) -> Answers:
    image = load_params(ROOT / "params.yaml").image.model_copy(update={"size": size})
    names = ["red", "green", "blue"]
    return Answers(means, names, image.model_dump(), {**LIMITS, **limits}, RULE, COLOURFUL)


def test_each_row_has_its_own_answer_or_its_own_error() -> None:
    red, broken, blue = answers()([RED, "no picture", BLUE])
    assert (red["label"], red["error"], blue["label"]) == ("red", None, "blue")
    assert red["probabilities"] == pytest.approx({"red": 1.0, "green": 0.0, "blue": 0.0}) and red["score"] == 1.0
    assert broken == {**dict.fromkeys(COLUMNS), "version": "", "error": "image is not base64"}
    assert tuple(broken) == tuple(red) == COLUMNS


def test_an_answer_abstains_unless_one_class_is_probable_and_the_picture_is_familiar() -> None:
    pictures = {"red": (250, 0, 0), "either": (120, 120, 0), "none": (90, 90, 90)}
    pixels = np.stack([np.full((8, 8, 3), colour, np.uint8) for colour in pictures.values()])
    red, either, none = answers().answer_pixels(pixels)
    assert (red["set"], red["abstains"], red["unfamiliar"]) == (["red"], False, False)
    assert (either["set"], either["abstains"]) == (["red", "green"], True)
    assert (none["set"], none["abstains"]) == ([], True)
    assert none["ood_score"] > 1 and none["unfamiliar"]


def test_an_empty_batch_has_no_answers() -> None:
    assert answers()([]) == []


def test_a_picture_that_memory_does_not_hold_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    asked = answers()
    monkeypatch.setattr("darkroom.package.answers.decode", fail)
    assert asked([RED])[0]["error"] == "too large for the memory left"


def test_rows_beyond_the_limits_get_an_error() -> None:
    first, late = answers(rows=1)([RED, RED])
    assert first["label"] == "red" and "another request" in late["error"]
    first, late = answers(bytes=len(RED))([RED, RED])
    assert first["label"] == "red" and "another request" in late["error"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_picture_beyond_the_limit_is_not_decoded(kind: str) -> None:
    data = encode(Image.new("RGB", (200, 60)), kind)
    (answer,) = answers()([data])
    assert answer["error"] == "200x60 is more than 10,000 pixels"
    assert answers(pixels=12_000)([data])[0]["error"] is None


def test_a_header_is_enough_to_refuse_a_huge_picture() -> None:
    (answer,) = answers()([png_header(10_000, 10_000)])
    assert answer["error"].startswith("10000x10000 is more than")


@pytest.mark.parametrize(("size", "largest"), [(8, 256), (64, 128), (224, 10), (1024, 1)])
def test_the_network_sees_as_many_pixels_at_once_as_fit(size: int, largest: int) -> None:
    seen = []

    def engine(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(len(pixels))
        return means(pixels)

    made = Answers(engine, ["r", "g", "b"], answers(size).image, LIMITS, RULE, COLOURFUL)
    count = min(largest + 3, 300)
    assert [answer["error"] for answer in made([RED] * count)] == [None] * count
    assert max(seen) <= largest and sum(seen) == count
    assert largest == 1 or largest * size**2 <= PIXELS_AT_ONCE
