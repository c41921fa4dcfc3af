"""JPEGs of 12 megapixels: CPU time of decoding them whole and at a scale, for training, serving and ingest.

python benchmarks/decode.py ARCHIVE, a .zip of photographs, of which a mosaic of 4032x3024 is made. Wanted: at a scale 3
times as fast. Pillow reads the same files beside it, whole and in its draft mode, in turns; medians.
"""

import argparse
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps
from working_copy import print_table

from darkroom.images import decode as decoding
from darkroom.images.decode import decode, silent_pillow
from darkroom.images.scaling import judged_scale
from darkroom.ingest.examine import pack_shard
from darkroom.ingest.layout import Entry

WIDTH, HEIGHT, TILE = 4032, 3024, 336
SIZE = 224
ROUNDS = 7


class Memory:
    """Files in memory, as ingest reads them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, location: str) -> bytes:
        """Return the bytes of a file."""
        return self.files[location]


def mosaic(archive: Path) -> Image.Image:
    """Return photographs side by side, each at about its own size, so that there is as much detail as in one."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    with zipfile.ZipFile(archive) as source:
        names = sorted(name for name in source.namelist() if name.lower().endswith((".jpg", ".jpeg")))
        places = [(left, top) for top in range(0, HEIGHT, TILE) for left in range(0, WIDTH, TILE)]
        for number, place in enumerate(places):
            with Image.open(io.BytesIO(source.read(names[number * 7 % len(names)]))) as tile:
                image.paste(ImageOps.fit(tile.convert("RGB"), (TILE, TILE)), place)
    return image


def files_of(image: Image.Image) -> dict[str, bytes]:
    """Return the picture as several kinds of JPEG."""
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = profile.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "with EXIF, turned": {"exif": exif.tobytes()},
        "turned, with a colour profile": {"exif": exif.tobytes(), "icc_profile": other},
        "plain, quality 75": {"quality": 75},
        "plain, 4:4:4": {"subsampling": 0},
        "progressive": {"progressive": True},
    }
    return {name: encoded(image, **{"quality": 90, **options}) for name, options in kinds.items()}


def encoded(image: Image.Image, **options: Any) -> bytes:
    image.save(file := io.BytesIO(), "JPEG", **options)
    return file.getvalue()


def with_pillow(data: bytes, draft: bool) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    if draft:
        image.draft(None, (2 * SIZE, 2 * SIZE))
    image = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def ingest(data: bytes, scale: Callable[[int, int], int], folder: Path) -> None:
    """Read, measure and pack one file, a JPEG at `scale`; nothing is remembered."""
    decoding.judged_scale = scale  # type: ignore[attr-defined]
    entry = Entry("a/1.jpg", len(data), "a", location="1.jpg")
    pack_shard(Memory({"1.jpg": data}), [entry], folder / "pack.parquet", folder / "missing" / "known", "auto")


def milliseconds(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median CPU time of each, measured in turns."""
    passed: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            work()
            passed[name].append(1000 * (time.process_time() - start))
    return {name: median(times) for name, times in passed.items()}


def decoding_row(name: str, data: bytes, resize: str) -> list[Any]:
    def ours(version: int) -> np.ndarray:
        return decode(data, SIZE, resize, "white", "auto", decoding=version)

    took = milliseconds(
        {
            "whole": lambda: with_pillow(data, draft=False),
            "draft": lambda: with_pillow(data, draft=True),
            "1": lambda: ours(1),
            "2": lambda: ours(2),
        }
    )
    error = np.mean((ours(1).astype(float) - ours(2)) ** 2)
    times = [f"{took[column]:.0f}" for column in took]
    size = f"{len(data) / 1e6:.1f}"
    return [f"{name}, {resize}", size, *times, f"{took['1'] / took['2']:.1f}", f"{10 * np.log10(255**2 / error):.1f}"]


def ingest_row(name: str, data: bytes, folder: Path) -> list[Any]:
    took = milliseconds(
        {
            "whole": lambda: ingest(data, lambda _width, _height: 1, folder),
            "scaled": lambda: ingest(data, judged_scale, folder),
        }
    )
    return [name, *(f"{took[column]:.0f}" for column in took), f"{took['whole'] / took['scaled']:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    files = files_of(mosaic(parser.parse_args().archive))
    with TemporaryDirectory() as folder, silent_pillow():
        resizes = [("plain", "crop"), ("plain", "pad"), *((name, "squash") for name in files)]
        rows = [decoding_row(name, files[name], resize) for name, resize in resizes]
        columns = ["training, serving: ms", "MB", "Pillow", "its draft", "version 1", "version 2", "gain", "dB"]
        print_table(columns, *rows)
        print_table(
            ["ingest: ms", "whole", "at a scale", "gain"], *(ingest_row(*file, Path(folder)) for file in files.items())
        )


if __name__ == "__main__":
    main()
