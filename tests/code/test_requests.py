import base64
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.package.options import Options, read_options
from darkroom.package.requests import limit_errors, picture_bytes, picture_numbers, pictures_in


@given(st.binary(max_size=200))
def test_every_way_to_write_base64_gives_the_same_bytes(data: bytes) -> None:
    plain = base64.b64encode(data).decode()
    safe = base64.urlsafe_b64encode(data).decode()
    lines = "\r\n".join(plain[start : start + 76] for start in range(0, len(plain), 76))
    ways = [data, plain, safe, plain.rstrip("="), safe.rstrip("="), lines, f"  {plain}\n"]
    ways += [f"data:image/png;base64,{plain}", f"DATA:image/jpeg;name=a.jpg;base64,{lines}", f"data:;base64,{safe}"]
    assert [picture_bytes(way, 300) for way in ways] == [data] * len(ways)


@pytest.mark.parametrize("text", ["cat.png!", "a", "abcde", "äöü", "data:image/png,abc", "ab=cd"])
def test_text_that_is_not_base64_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError) as error:
        picture_bytes(text, 10**8)
    assert str(error.value) == "image is not base64"


@pytest.mark.parametrize("value", [3, [1, 2], {"a": 1}, True, 0.5, pd.NA])
def test_other_types_than_text_are_named(value: object) -> None:
    with pytest.raises(ValueError, match=f"base64 text, not {type(value).__name__}"):
        picture_bytes(value, 100)


@pytest.mark.parametrize("value", [None, float("nan"), "None", np.float64("nan")])
def test_null_is_called_null_whatever_mlflow_makes_of_it(value: object) -> None:
    with pytest.raises(ValueError, match="image is null"):
        picture_bytes(value, 100)


@given(st.text(max_size=60))
def test_any_text_gives_bytes_or_a_reason(text: str) -> None:
    try:
        assert isinstance(picture_bytes(text, 10**8), bytes)
    except ValueError as error:
        assert str(error) in ("image is not base64", "image is null; send the picture as base64 text")


def test_text_in_many_pieces_takes_no_more_memory_than_in_one() -> None:
    text = "AB " * 2**20
    tracemalloc.start()
    try:
        picture_bytes(text, 10**8)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_a_request_is_answered_up_to_its_limits() -> None:
    assert limit_errors(["aaaa"] * 3, rows=3, size=12) == [None] * 3
    assert limit_errors([None, "aaaa"], rows=2, size=4) == [None, None]
    *answered, late = limit_errors(["a", "b", "c"], rows=2, size=100)
    assert answered == [None, None] and "may hold 2 pictures" in str(late)
    first, *large = limit_errors(["aaaa", "bbbb", "c"], rows=9, size=7)
    assert first is None and all("may hold 7 bytes" in str(error) for error in large)


RAW = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


@pytest.mark.parametrize(
    ("sent", "pictures"),
    [
        ("abc", ["abc"]),
        (b"abc", [b"abc"]),
        (["a", "b"], ["a", "b"]),
        ({"image": ["a", "b"]}, ["a", "b"]),
        ({"image": "a"}, ["a"]),
        ([{"image": "a"}, {"other": 1}, "c"], ["a", None, "c"]),
        (np.array([["a"], ["b"]]), ["a", "b"]),
        (RAW.tolist(), RAW.tolist()),
        (RAW[0].tolist(), [RAW[0].tolist()]),
        (RAW[..., 0].tolist(), RAW[..., 0].tolist()),
        (RAW[0, ..., 0].tolist(), [RAW[0, ..., 0].tolist()]),
        ({"image": RAW.tolist()}, RAW.tolist()),
        ([{"image": RAW[0].tolist()}], [RAW[0].tolist()]),
        ([3, "a"], [3, "a"]),
        ([], []),
    ],
)
def test_the_pictures_of_a_request_are_found_in_every_form(sent: object, pictures: list[object]) -> None:
    assert pictures_in(sent) == pictures


def test_arrays_are_pictures_by_their_shape() -> None:
    assert [len(pictures_in(array)) for array in (RAW, RAW[0], RAW[..., 0], RAW[0, ..., 0], RAW[..., :1])] == [
        *(2, 1, 2, 1, 2)
    ]
    assert [picture_numbers(picture).shape for picture in pictures_in(RAW[..., :1])] == [(4, 5)] * 2
    assert picture_numbers(RAW[0].astype(np.float64)).tolist() == RAW[0].tolist()


@pytest.mark.parametrize(
    "value",
    [
        *([[1, 2], [3]], [[1, "secret"]], [[None]], [[256]], [[-1]], [[0.5]], [[float("nan")]], [[10**400]], [[[]]]),
        *([1, 2], [[[1, 2]]], [[[[1]]]], np.zeros((0, 3)), np.full((2, 2), 300), np.array([["a"]])),
    ],
)
def test_numbers_that_are_no_picture_are_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(ValueError, match="an image of numbers needs"):
        picture_numbers(value)


def nested(depth: int) -> object:
    value: object = "a"
    for _ in range(depth):
        value = {"image": value}
    return value


def test_a_request_without_a_column_of_pictures_says_so() -> None:
    for sent in ({"picture": "a"}, [{"picture": "a"}], {"image": {"image": "a"}}, nested(100_000)):
        with pytest.raises(ValueError, match="needs the column `image`"):
            pictures_in(sent)


def test_a_picture_of_too_many_bytes_is_not_decoded() -> None:
    for value in (b"x" * 1000, "AAAA" * 400):
        with pytest.raises(ValueError, match="a picture may hold 600 bytes"):
            picture_bytes(value, 600)


@pytest.mark.parametrize(
    "params",
    [
        *({"top": 0}, {"top": 1.5}, {"top": True}, {"top": "secret"}, {"threshold": 1.1}, {"threshold": float("nan")}),
        *({"coverage": 0}, {"coverage": 1}, {"coverage": [0.9]}, {"explain": 1}),
    ],
)
def test_impossible_params_are_refused_by_name(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"params: {next(iter(params))}") as error:
        read_options(params)
    assert "secret" not in str(error.value)


def test_the_name_of_an_unknown_param_is_not_quoted() -> None:
    with pytest.raises(ValueError) as error:
        read_options({"secret": 3})
    assert str(error.value) == "params: there are only top, threshold, coverage and explain"


def test_params_left_out_or_null_are_the_defaults() -> None:
    assert read_options(None) == read_options({"top": None, "coverage": None}) == Options()
    asked = read_options({"top": 2, "threshold": 1, "coverage": 0.5, "explain": True})
    assert asked == Options(2, 1.0, 0.5, True)
