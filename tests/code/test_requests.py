import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.package.requests import picture_bytes


@given(st.binary(max_size=200))
def test_every_way_to_write_base64_gives_the_same_bytes(data: Any) -> None:
    plain = base64.b64encode(data).decode()
    safe = base64.urlsafe_b64encode(data).decode()
    lines = "\r\n".join(plain[start : start + 76] for start in range(0, len(plain), 76))
    ways = [data, plain, safe, plain.rstrip("="), safe.rstrip("="), lines, f"  {plain}\n"]
    ways += [f"data:image/png;base64,{plain}", f"DATA:image/jpeg;name=a.jpg;base64,{lines}", f"data:;base64,{safe}"]
    assert [picture_bytes(way) for way in ways] == [data] * len(ways)


@pytest.mark.parametrize("text", ["cat.png!", "a", "abcde", "äöü", "data:image/png,abc", "ab=cd"])
def test_what_is_no_base64_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="image is not base64"):
        picture_bytes(text)


@pytest.mark.parametrize("value", [None, 3, [1, 2], {"a": 1}, float("nan")])
def test_what_is_no_text_is_said(value: Any) -> None:
    with pytest.raises(ValueError, match=f"base64 text, not {type(value).__name__}"):
        picture_bytes(value)


@given(st.text(max_size=60))
def test_any_text_gives_bytes_or_a_reason(text: Any) -> None:
    try:
        assert isinstance(picture_bytes(text), bytes)
    except ValueError as error:
        assert str(error) == "image is not base64"
