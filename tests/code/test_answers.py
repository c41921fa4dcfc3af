"""Answers to requests."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from darkroom.package.answers import COLUMNS, PIXELS_AT_ONCE, Answers
from darkroom.package.options import Options
from mean_colours import BLUE, COLOURFUL, LIMITS, RED, RULE, answers, means
from pictures import encode, png_header


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


def test_a_request_chooses_how_many_classes_which_promise_and_when_to_abstain() -> None:
    asked = answers()
    pixels = np.full((1, 8, 8, 3), (150, 90, 10), np.uint8)  # shares 0.6, 0.36, 0.04
    (plain,) = asked.answer_pixels(pixels)
    assert (plain["set"], list(plain["probabilities"])) == (["red"], ["red", "green", "blue"])
    (two,) = asked.answer_pixels(pixels, Options(top=2))
    assert list(two["probabilities"]) == ["red", "green"]
    (strict,) = asked.answer_pixels(pixels, Options(threshold=0.7))
    assert (strict["label"], strict["abstains"]) == ("red", True)
    for level, members in {0.94: 2, 0.95: 2, 0.96: 3, 0.9: 1, 0.1: 2}.items():  # the next level measured, or all
        assert len(asked.answer_pixels(pixels, Options(coverage=level))[0]["set"]) == members


def test_a_picture_of_numbers_is_resized_as_a_decoded_one() -> None:
    image = Image.effect_noise((30, 20), 90).convert("RGB")
    sent, numbers = encode(image), np.asarray(image)
    file, array, grey, clear = answers(16)(
        [sent, numbers.tolist(), numbers[..., 0], np.dstack([numbers, np.full((20, 30), 255, np.uint8)])]
    )
    assert file == array == clear and grey["error"] is None
    assert answers(pixels=500)([numbers])[0]["error"] == "30x20 is more than 500 pixels"


def test_explanations_are_drawn_on_request_where_the_bundle_can() -> None:
    maps = replace(answers(), heat_mapper=lambda pixels, _: np.ones(pixels.shape[:3], np.float32))
    (drawn,) = maps([RED], Options(explain=True))
    with Image.open(BytesIO(base64.b64decode(drawn["heat_map"]))) as picture:
        assert picture.format == "PNG" and picture.width == picture.height
    assert answers()([RED], Options(explain=True))[0]["heat_map"] is None
    assert "heat_map" not in maps([RED])[0]


def test_threads_share_the_answers() -> None:
    asked = answers()
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda place: asked([RED, BLUE] * (place % 3 + 1)), range(40)))
    assert all([answer["label"] for answer in each] == ["red", "blue"] * (len(each) // 2) for each in found)


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


@pytest.mark.parametrize(("size", "largest"), [(8, 256), (64, 32), (224, 2), (1024, 1)])
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
