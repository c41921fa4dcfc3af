"""Greyscale of more than 8 bits: one rule for all pictures, whatever the values of a single one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.images.convert import Depth
from darkroom.images.decode import decode, inspect
from darkroom.images.limits import UnreadablePicture
from pictures import encode, ingested, write_files

SIDE = 16


def gradient(top: float, kind: str) -> np.ndarray:
    """Return a gradient from 0 to `top`."""
    return np.linspace(0, top, SIDE * SIDE).reshape(SIDE, SIDE).astype(kind)


def levels(data: bytes, depth: Depth) -> np.ndarray:
    return decode(data, SIDE, "squash", "white", depth)[:, :, 0]


def tiff(pixels: np.ndarray) -> bytes:
    return encode(Image.fromarray(pixels), "TIFF")


def tiff_of_12_bits(pixels: np.ndarray) -> bytes:
    """Return a TIFF that packs two pixels into three bytes, as it says in its BitsPerSample."""
    data = tiff(pixels)
    entry = data.index(b"\x02\x01\x03\x00\x01\x00\x00\x00\x10\x00")
    flat = pixels.ravel().astype(int)
    packed = np.stack([flat[::2] >> 4, (flat[::2] & 15) << 4 | flat[1::2] >> 8, flat[1::2] & 255], axis=1)
    data = data.replace(pixels.tobytes(), packed.astype(np.uint8).tobytes().ljust(pixels.nbytes, b"\0"))
    return data[: entry + 8] + b"\x0c" + data[entry + 9 :]


@pytest.mark.parametrize("top", [1.0, 0.98, 0.5, 0.0])
def test_floats_are_scaled_alike_whatever_their_maximum(top: float) -> None:
    found = levels(tiff(gradient(top, "float32")), "auto")
    assert np.abs(found - gradient(255 * top, "float64")).max() <= 0.51


@pytest.mark.parametrize("depth", ["auto", 12, 16])
@pytest.mark.parametrize("wrong", [1.02, 255.0, -0.1, np.nan, np.inf])
def test_floats_beyond_0_to_1_are_refused(wrong: float, depth: Depth) -> None:
    pixels = gradient(1, "float32")
    pixels[3, 3] = wrong
    for read in (inspect, levels):
        with pytest.raises(UnreadablePicture, match="floating-point greyscale may have 0 to 1"):
            read(tiff(pixels), depth)


@pytest.mark.parametrize(("bits", "depth"), [(16, "auto"), (16, 16), (12, 12), (10, 10), (8, 8)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_whole_numbers_fill_the_bits_that_are_said(kind: str, bits: int, depth: Depth) -> None:
    found = levels(encode(Image.fromarray(gradient(2**bits - 1, "uint16")), kind), depth)
    assert len(np.unique(found)) == 256 and found.max() == 255
    half = levels(encode(Image.fromarray(gradient(2 ** (bits - 1), "uint16")), kind), depth)
    assert half.max() == 128


def test_the_bits_that_a_tiff_declares_are_known() -> None:
    assert np.array_equal(levels(tiff_of_12_bits(gradient(4095, "uint16")), "auto"), gradient(255, "float").round())


@pytest.mark.parametrize("depth", ["auto", 10, 12])
def test_a_pgm_declares_its_white(depth: Depth) -> None:
    data = b"P5 16 16 1000\n" + gradient(1000, ">u2").tobytes()
    assert np.array_equal(np.unique(levels(data, depth)), np.arange(256))


@pytest.mark.parametrize("kind", ["int32", "float32"])
def test_values_beyond_the_depth_are_refused(kind: str) -> None:
    pixels = gradient(4096, kind) / (1 if kind == "int32" else 4000)
    with pytest.raises(UnreadablePicture, match=r"values from 0 to (4096; image.depth allows 0 to 4095|1.024; float)"):
        levels(tiff(pixels.astype(kind)), 12)


def test_what_declares_no_range_needs_a_depth() -> None:
    data = tiff(gradient(4095, "int32"))
    with pytest.raises(UnreadablePicture, match=r"without a declared range; set image.depth"):
        levels(data, "auto")
    assert levels(data, 12).max() == 255 and levels(data, 16).max() == 16


def test_a_picture_of_8_bits_has_no_other_depth() -> None:
    data = encode(Image.fromarray(gradient(255, "uint8")))
    assert np.array_equal(levels(data, "auto"), levels(data, 16))


def test_the_facts_of_ingest_are_those_of_the_depth(tmp_path: Path) -> None:
    picture = encode(Image.fromarray(gradient(4095, "uint16")))
    folder = write_files(tmp_path / "pets", {f"{label}/{n}.png": picture for label in "ab" for n in "12"})
    depths: tuple[Depth, ...] = (16, 12, "auto")
    found = [ingested(folder, tmp_path / f"images {depth}", depth)["brightness"].iloc[0] for depth in depths]
    assert found == pytest.approx([1 / 32, 1 / 2, 1 / 32], abs=0.01)
