"""The one way from a file's bytes to pixels: ingest, training and serving all use it."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

from darkroom.images.convert import Depth, orientation_of, upright_rgb
from darkroom.images.limits import MAX_PIXELS, UnreadablePicture, require_scans, require_size

NOT_PLAIN = (b"Exif\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/", b"MPF\0")  # metadata of a JPEG that count
# decoded by Pillow itself: EPS would start another program, and TGA and the like are guessed from nothing
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "PCX", "SGI")


def decode(
    data: bytes, size: int, resize: str, background: str, depth: Depth, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Return a picture as upright sRGB of (size, size, 3) uint8; raises UnreadablePicture.

    `resize`: "squash" both sides, "crop" the middle square, or "pad" to a square with `background`. `depth`: the bits
    of greyscale of more than 8, or "auto" (convert.white_level). `max_pixels` bounds memory, and the scans of a JPEG.
    """
    pixels = decode_plain_jpeg(data, max_pixels)
    if pixels is None:
        return _resized(read_upright(data, background, depth, max_pixels), size, resize, background)
    same = pixels.shape[:2] == (size, size)
    return pixels if same else _resized(Image.fromarray(pixels), size, resize, background)


def prepare(
    pixels: np.ndarray, size: int, resize: str, background: str, depth: Depth, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Return a picture that is decoded already, (height, width) or (height, width, 3 or 4) uint8, as `decode` does."""
    require_size(pixels.shape[1], pixels.shape[0], max_pixels)
    image = upright_rgb(Image.fromarray(np.ascontiguousarray(pixels)), background, depth)
    return _resized(image, size, resize, background)


def _resized(image: Image.Image, size: int, resize: str, background: str) -> np.ndarray:
    if resize == "crop":
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    elif resize == "pad":
        image = ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR, background)
    else:
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def read_upright(data: bytes, background: str, depth: Depth, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the first frame at its full size, upright and in sRGB; raises UnreadablePicture. See `decode`."""
    with silent_pillow(), _reasons():
        return upright_rgb(_open(data, max_pixels), background, depth)


def inspect(data: bytes, depth: Depth) -> tuple[dict[str, Any], np.ndarray]:
    """Decode a picture whole; return its facts as stored and its upright sRGB (height, width, 3) uint8.

    The facts are width to orientation of tables.MANIFEST. Raises UnreadablePicture. Pillow's warnings come through:
    a caller with many pictures silences them once for all.
    """
    pixels = decode_plain_jpeg(data)
    if pixels is not None:
        mode = "L" if simplejpeg.decode_jpeg_header(data)[2] == "Gray" else "RGB"
        return _facts(pixels, mode, "JPEG", None, 1), pixels
    with _reasons():
        image = _open(data, MAX_PIXELS)
        palette = len(image.palette.colors) if image.mode in ("P", "PA") and image.palette else None
        stored = image.mode, image.format, palette, orientation_of(image)
        image = upright_rgb(image, "white", depth)  # what training will do must work
        pixels = np.asarray(image)
    return _facts(pixels, *stored), pixels


def _facts(pixels: np.ndarray, mode: str, kind: str | None, palette: int | None, orientation: int) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    known = {"mode": mode, "format": kind, "palette": palette, "orientation": orientation}
    return {"width": width, "height": height, **known}


def decode_plain_jpeg(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray | None:
    """Return the pixels (height, width, 3) uint8 of a JPEG that needs nothing but decoding; None for all else.

    To the bit what Pillow gives, in a quarter of the time for small pictures: both use libjpeg-turbo, and Pillow
    reads the header in Python. What has EXIF, a colour profile or a fault is left to Pillow.
    """
    if not data.startswith(b"\xff\xd8") or any(mark in data for mark in NOT_PLAIN):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "Gray"):
            return None
        require_size(width, height, max_pixels)
        require_scans(data, "JPEG", width * height, max_pixels)
        return np.asarray(simplejpeg.decode_jpeg(data, strict=True))
    except UnreadablePicture:
        raise
    except ValueError:
        return None


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """Return the first frame, loaded whole, as it is stored."""
    if not data:
        raise UnreadablePicture("is empty")
    image = Image.open(BytesIO(data), formats=FORMATS)
    require_size(image.width, image.height, max_pixels, image.format)
    require_scans(data, image.format, image.width * image.height, max_pixels)
    image.load()
    return image


@contextmanager
def silent_pillow() -> Iterator[None]:
    """Silence the warnings of Pillow: odd metadata, and sizes, which MAX_PIXELS limits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever Pillow raises on broken bytes into UnreadablePicture."""
    try:
        yield
    except UnreadablePicture:
        raise
    except UnidentifiedImageError:
        raise UnreadablePicture("not an image in a known format") from None
    except MemoryError:  # says nothing of the picture
        raise
    except Exception as error:  # codecs raise nearly anything: OSError, SyntaxError, KeyError, struct.error
        reason = str(error).split("\n")[0]
        reason = re.sub(
            r":? *(?<![a-zA-Z])b?['\"].*", "", reason
        )  # a quotation is from the file; an error never repeats it
        reason = re.sub(r"0x[0-9a-f]+", "0x", reason)  # an address differs in each run
        raise UnreadablePicture(f"cannot be decoded completely: {reason or type(error).__name__}") from None
