"""What ingest accepts must decode later, hours into a training; so bytes of every kind are tried."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom.images.decode import decode, inspect, read_upright
from darkroom.images.limits import UnreadablePicture
from pictures import encode, noise

TURNED = Image.Exif()
TURNED[0x0112] = 6
FILES = [encode(noise("a"), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")] + [
    encode(noise("a"), "JPEG", exif=TURNED.tobytes())
]


@given(
    st.sampled_from(FILES), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4)), max_size=4)
)
def test_what_ingest_accepts_training_decodes(data: Any, changes: Any) -> None:
    for place, junk in changes:
        at = int(place * len(data))
        data = data[:at] + junk + data[at + len(junk) :]
    try:
        facts, pixels = inspect(data, "auto")
    except UnreadablePicture:
        return
    assert decode(data, 5, "pad", "black", "auto").shape == (5, 5, 3)
    by_pillow = read_upright(data, "white", "auto")
    assert by_pillow.image.size == (by_pillow.width, by_pillow.height) == (facts["width"], facts["height"])
    assert np.array_equal(np.asarray(by_pillow.image), pixels)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: Any) -> None:
    try:
        inspect(data, "auto")
    except UnreadablePicture as error:
        assert str(error)
