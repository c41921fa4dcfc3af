"""What one picture may take of time and memory, whoever sends it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from darkroom.images.decode import decode, decode_plain_jpeg, inspect
from darkroom.images.limits import MAX_SCANS, UnreadablePicture, count_scans
from pictures import ROOT, encode, noise

PIXELS = 64 * 64
SCAN, END = b"\xff\xda", b"\xff\xd9"


def progressive(extra: int, **options: object) -> bytes:
    """Return a progressive JPEG of 64x64 with its last scan `extra` times more."""
    data = encode(noise("a", 64), "JPEG", progressive=True, **options)
    last = data.rindex(SCAN)
    return data[:-2] + data[last:-2] * extra + END


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_scans_are_counted(mode: str) -> None:
    picture = noise("a", 64).convert(mode)
    assert count_scans(encode(picture, "JPEG")) == 1
    scans = count_scans(encode(picture, "JPEG", progressive=True))
    assert scans == encode(picture, "JPEG", progressive=True).count(SCAN) > 3


def test_pictures_in_the_metadata_and_behind_the_end_do_not_count() -> None:
    other, exif = encode(noise("b"), "JPEG"), Image.Exif()
    exif[0x010E] = "\xff\xda"
    data = encode(noise("a", 64), "JPEG", exif=exif.tobytes() + other)
    assert data.count(SCAN) > 1 and count_scans(data + other * 9) == 1


def test_what_has_no_length_hides_no_scan() -> None:
    data = progressive(20)
    place = data.index(SCAN)
    assert count_scans(data[:place] + b"\xff\x01\xff\xff" + data[place:]) == count_scans(data)
    assert count_scans(data[:place] + b"\xff\xff\xff" + data[place:]) == count_scans(data)
    assert count_scans(data[:-9]) > 20 and count_scans(b"\xff\xd8\xff\xc4") == count_scans(b"") == 0


@pytest.mark.parametrize("options", [{}, {"exif": Image.Exif().tobytes() + b"1234"}])
def test_a_progressive_jpeg_with_many_scans_is_refused(options: dict[str, object]) -> None:
    usual, crafted = progressive(0, **options), progressive(100, **options)
    assert decode(usual, 8, "squash", "white", "auto", max_pixels=PIXELS).shape == (8, 8, 3)
    assert decode(crafted, 8, "squash", "white", "auto", max_pixels=PIXELS * 15).shape == (8, 8, 3)
    with pytest.raises(UnreadablePicture, match=f"^{count_scans(crafted)} scans of 4,096 pixels take too long"):
        decode(crafted, 8, "squash", "white", "auto", max_pixels=PIXELS * 100 // MAX_SCANS)


def test_ingest_and_serving_refuse_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of 10,000 x 10,000 in 110 scans, without its pixels: nothing of it is decoded."""
    monkeypatch.setattr("darkroom.images.decode.simplejpeg.decode_jpeg", lambda *_, **__: pytest.fail("decoded"))
    crafted = progressive(100)
    size = crafted.index(b"\xff\xc2") + 5
    crafted = crafted[:size] + (10_000).to_bytes(2, "big") * 2 + crafted[size + 4 :]
    for read in (lambda: inspect(crafted, "auto"), lambda: decode(crafted, 8, "squash", "white", "auto")):
        with pytest.raises(UnreadablePicture, match="scans of 100,000,000 pixels take too long"):
            read()


def test_a_tiff_may_not_hide_many_scans() -> None:
    data = encode(noise("a", 64), "TIFF", compression="jpeg")
    assert decode(data, 8, "squash", "white", "auto", max_pixels=PIXELS).shape == (8, 8, 3)
    with pytest.raises(UnreadablePicture, match="100 scans"):
        decode(data + b"\xff\xc2", 8, "squash", "white", "auto", max_pixels=PIXELS)


def test_a_smaller_limit_of_pixels_holds_for_every_format() -> None:
    for kind in ("JPEG", "PNG", "TIFF"):
        with pytest.raises(UnreadablePicture, match="64x64 is more than 4,095 pixels"):
            decode(encode(noise("a", 64), kind), 8, "squash", "white", "auto", max_pixels=PIXELS - 1)
    assert decode_plain_jpeg(encode(noise("a", 64), "PNG"), 1) is None


MEMORY = """
import resource, sys
from darkroom.images.decode import decode
data = open(sys.argv[1], "rb").read()
decode(open(sys.argv[2], "rb").read(), 8, "squash", "white", "auto")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decode(data, 8, "squash", "white", "auto")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ru_maxrss has another unit")
def test_a_transparent_picture_takes_little_more_memory_than_its_pixels(tmp_path: Path) -> None:
    side = 3000
    files = [tmp_path / "large.png", tmp_path / "small.png"]
    for file, length in zip(files, (side, 9), strict=True):
        file.write_bytes(encode(Image.new("RGBA", (length, length), (9, 9, 9, 100))))
    command = [sys.executable, "-c", MEMORY, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 11 * side**2  # bytes: 4 as stored, 4 in RGB, some for a tile
