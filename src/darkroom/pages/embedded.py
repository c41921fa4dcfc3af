"""Thumbnails of pictures as data URLs that a page embeds."""

import base64
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image

from darkroom.images.convert import Depth, upright_rgb
from darkroom.images.decode import FORMATS, silent_pillow
from darkroom.images.packed import read_pictures

SIDE, SMALL = 128, 48  # pixels of the longer side, at most; of a picture in a row of a table
QUALITY = 70  # of WebP
BACKGROUND = "white"  # under transparent pixels
BATCH = 256_000_000  # bytes of the files in memory at a time


def thumbnails(images: Path, sizes: pd.Series, depth: Depth, side: int = SIDE) -> dict[str, str]:
    """Return image_id -> data URL of an upright WebP picture with sides of at most `side` pixels, never enlarged.

    `sizes` maps the image_id of each requested picture, which must be readable, to the size of its file in bytes;
    `depth` is image.depth.
    """
    urls: dict[str, str] = {}
    with silent_pillow():
        for _, batch in sizes.groupby(sizes.cumsum() // BATCH):
            pictures = read_pictures(images, batch.index)
            urls |= {image_id: data_url(thumbnail(data, depth, side)) for image_id, data in pictures.items()}
    return urls


def thumbnail(data: bytes, depth: Depth, side: int = SIDE) -> Image.Image:
    """Return the picture of a file, upright in sRGB, with sides of at most `side` pixels, never enlarged."""
    image = Image.open(BytesIO(data), formats=FORMATS)
    image.draft(None, (2 * side, 2 * side))  # decode a large JPEG no larger than needed
    image.load()
    small = upright_rgb(image, BACKGROUND, depth)
    small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return small


def data_url(image: Image.Image) -> str:
    """Return a picture as a data URL of WebP."""
    file = BytesIO()
    image.save(file, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
