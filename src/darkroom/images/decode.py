"""The one way from a file's bytes to pixels: ingest, training and serving all use it."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from darkroom.images.convert import Depth, orientation_of, upright_rgb
from darkroom.images.limits import LONG, MAX_PIXELS, UnreadablePicture, first_scan, require_scans, require_size
from darkroom.images.scaling import DECODE_VERSION, Box, filled_part, jpeg_scale, judged_scale, resized

NOT_PLAIN = (b"Exif\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/", b"MPF\0")  # metadata of a JPEG that count
# decoded by Pillow itself: EPS would start another program, and TGA and the like are guessed from nothing
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "PCX", "SGI")


Scale = Callable[[int, int], int]  # width, height -> what a JPEG's sides are divided by


class Upright(NamedTuple):
    """A picture upright in sRGB, perhaps at a scale: of `width` x `height` in the file, which fill `part` of it."""

    image: Image.Image
    width: int
    height: int
    part: Box


def decode(
    data: bytes,
    size: int,
    resize: str,
    background: str,
    depth: Depth,
    max_pixels: int = MAX_PIXELS,
    decoding: int = DECODE_VERSION,
) -> np.ndarray:
    """Return a picture as upright sRGB of (size, size, 3) uint8; raises UnreadablePicture.

    `resize`: "squash" both sides, "crop" the middle square, or "pad" to a square with `background`. `depth`: the bits
    of greyscale of more than 8, or "auto" (convert.white_level). `max_pixels` bounds memory, and the scans of a JPEG.
    `decoding`: the way of the network that will see it (DECODE_VERSION).
    """
    scale = partial(jpeg_scale, size=size, resize=resize) if decoding > 1 else _whole
    plain = decode_plain_jpeg(data, max_pixels, scale)
    if plain and plain[0].shape[:2] == (size, size):
        return plain[0]
    found = _as_upright(*plain) if plain else read_upright(data, background, depth, max_pixels, scale)
    return np.asarray(resized(found.image, found.part, size, resize, background))


def prepare(
    pixels: np.ndarray, size: int, resize: str, background: str, depth: Depth, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Return a picture that is decoded already, (height, width) or (height, width, 3 or 4) uint8, as `decode` does."""
    height, width = pixels.shape[:2]
    require_size(width, height, max_pixels)
    image = upright_rgb(Image.fromarray(np.ascontiguousarray(pixels)), background, depth)
    return np.asarray(resized(image, filled_part(width, height, 1), size, resize, background))


def _whole(width: int, height: int) -> int:  # noqa: ARG001
    return 1


def _as_upright(pixels: np.ndarray, width: int, height: int, scale: int) -> Upright:
    return Upright(Image.fromarray(pixels), width, height, filled_part(width, height, scale))


def read_upright(
    data: bytes, background: str, depth: Depth, max_pixels: int = MAX_PIXELS, scale: Scale = _whole
) -> Upright:
    """Return the first frame, a JPEG at `scale`; raises UnreadablePicture. See `decode`."""
    with silent_pillow(), _reasons():
        return _turned(_open(data, max_pixels, scale), background, depth)


def _turned(stored: "_Stored", background: str, depth: Depth) -> Upright:
    orientation = orientation_of(stored.image)
    width, height = (stored.height, stored.width) if orientation > 4 else (stored.width, stored.height)
    part = filled_part(width, height, stored.scale, orientation)
    return Upright(upright_rgb(stored.image, background, depth), width, height, part)


def inspect(data: bytes, depth: Depth) -> tuple[dict[str, Any], np.ndarray]:
    """Decode a picture completely; return its facts as stored and its upright sRGB (height, width, 3) uint8.

    The facts are width to orientation of tables.MANIFEST. A large JPEG comes at the scale that is enough to measure it;
    all its data is read, so a fault is found at every scale. Raises UnreadablePicture. Pillow's warnings come through:
    a caller with many pictures silences them once for all.
    """
    if plain := decode_plain_jpeg(data, MAX_PIXELS, judged_scale):
        pixels, width, height, _ = plain
        mode = "L" if simplejpeg.decode_jpeg_header(data)[2] == "Gray" else "RGB"
        return _facts((width, height), mode, "JPEG", None, 1), pixels
    with _reasons():
        stored = _open(data, MAX_PIXELS, judged_scale)
        image = stored.image
        palette = len(image.palette.colors) if image.mode in ("P", "PA") and image.palette else None
        known = image.mode, image.format, palette, orientation_of(image)
        found = _turned(stored, "white", depth)  # what training will do must work
        return _facts((found.width, found.height), *known), np.asarray(found.image)


def _facts(size: tuple[int, int], mode: str, kind: str | None, palette: int | None, orientation: int) -> dict[str, Any]:
    known = {"mode": mode, "format": kind, "palette": palette, "orientation": orientation}
    return {"width": size[0], "height": size[1], **known}


def decode_plain_jpeg(
    data: bytes, max_pixels: int = MAX_PIXELS, scale: Scale = _whole
) -> tuple[np.ndarray, int, int, int] | None:
    """Return a JPEG that needs nothing but decoding: its pixels (height, width, 3) uint8, width, height and scale.

    None for all else. To the bit what Pillow gives, in a quarter of the time for small pictures: both use
    libjpeg-turbo, and Pillow reads the header in Python. What has EXIF, a colour profile or a fault is left to Pillow.
    """
    head = data if len(data) < LONG else data[: first_scan(data)]
    if not data.startswith(b"\xff\xd8") or any(mark in head for mark in NOT_PLAIN):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "Gray"):
            return None
        require_size(width, height, max_pixels)
        require_scans(data, "JPEG", width * height, max_pixels)
        by = scale(width, height)
        least = {"min_height": -(-height // by), "min_width": -(-width // by), "min_factor": by} if by > 1 else {}
        return np.asarray(simplejpeg.decode_jpeg(data, strict=True, **least)), width, height, by
    except UnreadablePicture:
        raise
    except ValueError:
        return None


class _Stored(NamedTuple):
    """A loaded picture as it is stored, at 1/`scale` of its `width` and `height`."""

    image: Image.Image
    width: int
    height: int
    scale: int


def _open(data: bytes, max_pixels: int, scale: Scale) -> _Stored:
    """Return the first frame, loaded completely; a JPEG at its scale."""
    if not data:
        raise UnreadablePicture("is empty")
    image = Image.open(BytesIO(data), formats=FORMATS)
    width, height = image.size
    require_size(width, height, max_pixels, image.format)
    require_scans(data, image.format, width * height, max_pixels)
    by = scale(width, height) if image.format in ("JPEG", "MPO") else 1
    if by > 1:
        image.draft(None, (width // by, height // by))
    image.load()
    return _Stored(image, *((width, height) if by > 1 else image.size), by)  # Pillow turns a TIFF while it loads


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
