import base64
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.package.requests import limit_errors, picture_bytes


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


@pytest.mark.parametrize("value", [3, [1, 2], {"a": 1}, True])
def test_other_types_than_text_are_named(value: object) -> None:
    with pytest.raises(ValueError, match=f"base64 text, not {type(value).__name__}"):
        picture_bytes(value, 100)


@pytest.mark.parametrize("value", [None, float("nan"), "None"])
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
