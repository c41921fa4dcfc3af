import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.GifImagePlugin import GifImageFile

from darkroom.images.decode import decode, inspect
from darkroom.images.limits import UnreadablePicture
from pictures import BLUE, GREEN, RED, YELLOW, corners, encode, noise, png_header

# how a camera stores an upright picture so that this orientation turns it back
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation: int, kind: str) -> bytes:
    image = corners(24, 16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image.transpose(STORED[orientation]) if orientation in STORED else image
    return encode(stored, kind, exif=exif.tobytes(), **({"quality": 95, "subsampling": 0} if kind == "JPEG" else {}))


def colours(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """Return the colour in the middle of each quarter, from top left to bottom right."""
    near, far = pixels.shape[0] // 4, 3 * pixels.shape[0] // 4
    return [tuple(map(int, pixels[y, x])) for y in (near, far) for x in (near, far)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, *STORED, 0, 9])
def test_every_orientation_comes_upright(orientation: Any, kind: str) -> None:
    data = turned(orientation, kind)
    pixels = decode(data, 16, "squash", "white", "auto")
    assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8
    assert np.abs(np.array(colours(pixels)) - np.array([RED, GREEN, BLUE, YELLOW])).max() <= 3
    facts, _ = inspect(data, "auto")
    assert (facts["width"], facts["height"]) == (24, 16)
    known = orientation in STORED and kind != "TIFF"  # Pillow turns a TIFF itself while it loads
    assert (facts["format"], facts["orientation"]) == (kind, orientation if known else 1)


def filled(mode: str, value: float | tuple[float, ...]) -> Image.Image:
    return Image.new(mode, (4, 4), value)


def with_palette(transparent: int) -> bytes:
    image = filled("P", 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (2, 0, 4, 4))
    return encode(image, transparency=transparent)


@pytest.mark.parametrize(
    ("mode", "data", "colour"),
    [
        ("RGB", encode(filled("RGB", (1, 2, 3))), (1, 2, 3)),
        ("L", encode(filled("L", 77)), (77, 77, 77)),
        ("LA", encode(filled("LA", (0, 0))), (255, 255, 255)),
        ("LA", encode(filled("LA", (100, 255))), (100, 100, 100)),
        ("RGBA", encode(filled("RGBA", (255, 0, 0, 0))), (255, 255, 255)),
        ("RGBA", encode(filled("RGBA", (0, 0, 0, 51))), (204, 204, 204)),
        ("P", with_palette(transparent=0), (255, 255, 255)),
        ("P", with_palette(transparent=1), (255, 0, 0)),
        ("1", encode(filled("1", 1)), (255, 255, 255)),
        ("CMYK", encode(filled("CMYK", (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        ("I;16", encode(filled("I;16", 257 * 100)), (100, 100, 100)),
        ("I;16", encode(filled("I;16", 65535)), (255, 255, 255)),
        ("I", encode(filled("I", 257 * 200), "PPM"), (200, 200, 200)),
        ("F", encode(filled("F", 0.4), "TIFF"), (102, 102, 102)),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode: str, data: Any, colour: Any) -> None:
    assert inspect(data, "auto")[0]["mode"] == mode
    assert tuple(decode(data, 4, "squash", "white", "auto")[1, 0]) == colour


def test_a_printers_jpeg_has_its_colours() -> None:
    data = encode(filled("CMYK", (0, 255, 255, 0)), "JPEG", quality=95)
    assert inspect(data, "auto")[0]["mode"] == "CMYK"
    assert np.abs(decode(data, 4, "squash", "white", "auto").astype(int) - RED).max() <= 3


def test_of_a_film_the_first_picture_counts() -> None:
    data = encode(filled("RGB", RED), "GIF", save_all=True, append_images=[filled("RGB", BLUE)], duration=100)
    assert GifImageFile(io.BytesIO(data)).n_frames == 2
    assert {tuple(map(int, colour)) for colour in decode(data, 4, "squash", "white", "auto").reshape(-1, 3)} == {RED}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello, I am a text", "not an image in a known format"),
        (encode(noise("a", 64), "JPEG")[:-900], "cannot be decoded completely"),
        (encode(noise("a", 64), "PNG")[:-900], "cannot be decoded completely"),
        (encode(noise("a", 64), "JPEG")[:100], "not a picture|cannot be decoded completely"),
        (png_header(11_000, 10_000), "11000x10000 is more than 100,000,000 pixels"),
        (png_header(60_000, 60_000), "3600000000 pixels"),
        (png_header(8, 8), "cannot be decoded completely"),
    ],
)
def test_what_is_no_whole_picture_is_refused_with_the_reason(data: Any, reason: str) -> None:
    for read in (lambda data: inspect(data, "auto"), lambda data: decode(data, 8, "squash", "white", "auto")):
        with pytest.raises(UnreadablePicture, match=reason) as caught:
            read(data)
        assert "\n" not in str(caught.value) and "0x7" not in str(caught.value)


@pytest.mark.parametrize(("resize", "expected"), [("squash", 1 / 2), ("crop", 1.0), ("pad", 1 / 2)])
def test_each_resize_shows_what_it_says(resize: str, expected: float) -> None:
    """A picture of 40x20, its middle square red and the rest blue, to 20x20."""
    picture = Image.new("RGB", (40, 20), "blue")
    picture.paste(Image.new("RGB", (20, 20), "red"), (10, 0))
    pixels = decode(encode(picture, "PNG"), 20, resize, "lime", "auto").astype(int)
    assert pixels.shape == (20, 20, 3)
    red = (pixels[10] == (255, 0, 0)).all(axis=1).mean()
    assert abs(red - expected) <= 0.1
    assert ((pixels[0] == (0, 255, 0)).all(axis=1).mean() == 1) == (resize == "pad")


def test_transparent_pixels_show_the_background() -> None:
    assert (
        decode(encode(Image.new("RGBA", (4, 4), (9, 9, 9, 0)), "PNG"), 4, "squash", "#0a0b0c", "auto") == (10, 11, 12)
    ).all()


def with_profile(profile: bytes) -> bytes:
    return encode(Image.new("RGB", (4, 4), (250, 0, 0)), "PNG", icc_profile=profile)


def test_colours_are_moved_from_their_own_profile_to_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")  # red means green
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    for profile, colour in ((srgb, (250, 0, 0)), (swapped, (0, 250, 0)), (b"broken", (250, 0, 0))):
        pixels = decode(with_profile(profile), 4, "squash", "white", "auto").astype(int)
        assert np.abs(pixels - colour).max() <= 2, profile[:8]


def test_what_ingest_accepts_training_can_decode_whatever_its_exif_says() -> None:
    """Odd EXIF values, as cameras and editors write them, must not make a picture unreadable later."""
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encode(corners(24, 16), "JPEG", exif=exif.tobytes())
    start = whole.index(b"Exif\0\0") + 6
    for place in range(start, start + 26):
        for value in (0, 1, 5, 12, 255):
            data = whole[:place] + bytes([value]) + whole[place + 1 :]
            facts, _ = inspect(data, "auto")
            assert decode(data, 8, "squash", "white", "auto").shape == (8, 8, 3)
            assert sorted((facts["width"], facts["height"])) == [16, 24]


def test_a_program_in_postscript_is_no_picture() -> None:
    with pytest.raises(UnreadablePicture, match="known format"):
        inspect(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n", "auto")


@pytest.mark.parametrize("data", [b"P6\nSECRETSECRETSECRET 12 255\n", b"P2\n2 2\n255\nSECRET 1 2 3\n"])
def test_an_error_repeats_nothing_of_the_file(data: bytes) -> None:
    with pytest.raises(UnreadablePicture) as raised:
        decode(data, 8, "squash", "white", "auto")
    assert "SECRET" not in str(raised.value)


def test_want_of_memory_says_nothing_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("darkroom.images.decode._open", fail)
    with pytest.raises(MemoryError):
        decode(b"P6\n", 8, "squash", "white", "auto")


def test_an_apostrophe_is_no_quotation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("can't read it: b'SECRET'")

    monkeypatch.setattr("darkroom.images.decode._open", fail)
    with pytest.raises(UnreadablePicture, match=r"^cannot be decoded completely: can't read it$"):
        decode(b"P6\n", 8, "squash", "white", "auto")
