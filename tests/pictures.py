"""Pictures and small data sets that tests are made of."""

import hashlib
import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from darkroom.core.tables import MANIFEST
from darkroom.images.convert import Depth
from darkroom.images.packed import read_pictures, read_thumbnails, write_shard
from darkroom.ingest.ingest import pack
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_source
from darkroom.ingest.sources import Reader
from darkroom.params.data import Columns, Ingest

ROOT = Path(__file__).parents[1]
NO_COLUMNS = Columns(path="path", label="label", split="", group="", attributes=[])
ANY = Ingest(source="x", labels={}, columns=NO_COLUMNS, feedback=False)
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def noise(name: str, side: int = 12) -> Image.Image:
    """Return a picture that is different for each name and the same each time."""
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8))


def corners(width: int = 12, height: int = 8) -> Image.Image:
    """Return a picture with a colour for each quarter: red, green, blue, yellow, from top left to bottom right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is this large and holds hardly a byte of it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    """Write {path: bytes} below `root` and return it."""
    root.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def class_files(*classes: str, each: int = 3) -> dict[str, bytes]:
    """Return {path: bytes} of class folders with different pictures."""
    names = [f"{label}/{number}.png" for label in classes for number in range(each)]
    return {name: encode(noise(name)) for name in names}


def write_zip(folder: Path, file: Path) -> Path:
    """Pack what is in `folder` and return the archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return file


def write_tar(folder: Path, file: Path, compression: str) -> Path:
    """Pack what is in `folder` and return the archive; `compression` is "", "gz", "bz2" or "xz"."""
    with tarfile.open(file, f"w:{compression}") as archive:  # type: ignore[call-overload]
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return file


def ingested(source: Path, images: Path, depth: Depth = "auto") -> pd.DataFrame:
    """Pack a folder or an archive to `images` with two threads and return the manifest."""
    with open_source(source, "test") as opened, ThreadPoolExecutor(2) as pool:
        return packed(opened, list_entries(opened, ANY)[0], images, images.parent / "cache", pool, depth)


def packed(
    source: Reader, entries: list[Entry], images: Path, cache: Path, pool: Executor, depth: Depth = "auto"
) -> pd.DataFrame:
    """Pack to `images` and return the manifest."""
    file = images.with_suffix(".manifest")
    pack(source, entries, images, file, cache, pool, depth)
    return pd.read_parquet(file)


def without_test(images: Path, splits: pd.DataFrame, target: Path) -> Path:
    """Pack the pictures anew, those of test left out."""
    ids = splits["image_id"][splits["split"] != "test"].to_numpy(dtype=str)
    contents, thumbnails = read_pictures(images, ids), read_thumbnails(images, ids)
    target.mkdir()
    rows = [(name, contents[name], thumbnail.tobytes()) for name, thumbnail in zip(ids, thumbnails, strict=True)]
    write_shard(target / "part-00000.parquet", rows)
    return target


def manifest_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a manifest with these rows; what they do not say is that of a plain 20x30 PNG of its own content."""
    full = []
    for number, row in enumerate(rows):
        name = f"{number:020x}"
        plain = {"image_id": name, "path": f"{number}.png", "label": "a", "sha256": name, "bytes": 100, "width": 20}
        full.append(plain | {"feedback": False, "height": 30, "mode": "RGB", "format": "PNG", "orientation": 1} | row)
    return pd.DataFrame(full, columns=list(MANIFEST)).astype(MANIFEST)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in `folder` as its own repository."""
    before, root = Path.cwd(), os.environ.pop("DVC_ROOT", None)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        if root:
            os.environ["DVC_ROOT"] = root
