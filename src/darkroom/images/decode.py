"""The one way from a file's bytes to pixels: ingest, training and serving all use it."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, ImageOps

MAX_PIXELS = 100_000_000  # refused before memory is spent on it
ROWS_AT_ONCE = 64
ORIENTATION = 0x0112  # EXIF tag
TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOT_PLAIN = (b"Exif\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/", b"MPF\0")  # metadata of a JPEG that count
METADATA = {"exif", "Raw profile type exif", "Raw profile type APP1", "xmp", "XML:com.adobe.xmp"}  # where Pillow looks
# decoded by Pillow itself: EPS would start another program, and TGA and the like are guessed from nothing
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "PCX", "SGI")


class UnreadablePicture(ValueError):
    """The bytes are no picture, or do not decode whole; the text is the reason."""


def decode(data: bytes, size: int, resize: str, background: str) -> np.ndarray:
    """Return a picture as upright sRGB of (size, size, 3) uint8; raises UnreadablePicture.

    `resize`: "squash" both sides, "crop" the middle square, or "pad" to a square with `background`.
    """
    pixels = decode_plain_jpeg(data)
    if pixels is not None:
        same = pixels.shape[:2] == (size, size)
        return pixels if same else np.asarray(_resized(Image.fromarray(pixels), size, resize, background))
    with silent_pillow():
        image = _guarded(upright_rgb, _guarded(_open, data), background)
    return np.asarray(_resized(image, size, resize, background))


def _resized(image: Image.Image, size: int, resize: str, background: str) -> Image.Image:
    if resize == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    if resize == "pad":
        return ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR, background)
    return image.resize((size, size), Image.Resampling.BILINEAR)


def inspect(data: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """Decode a picture whole; return its facts as stored and its upright sRGB (height, width, 3) uint8.

    The facts are width to orientation of tables.MANIFEST. Raises UnreadablePicture. Pillow's warnings come through:
    a caller with many pictures silences them once for all.
    """
    pixels = decode_plain_jpeg(data)
    if pixels is not None:
        mode = "L" if simplejpeg.decode_jpeg_header(data)[2] == "Gray" else "RGB"
        return _facts(pixels, mode, "JPEG", None, 1), pixels
    image = _guarded(_open, data)
    pixels = np.asarray(_guarded(upright_rgb, image, "white"))  # what training will do must work
    palette = len(image.palette.colors) if image.mode in ("P", "PA") and image.palette else None
    return _facts(pixels, image.mode, image.format, palette, _orientation(image)), pixels


def _facts(pixels: np.ndarray, mode: str, kind: str, palette: int | None, orientation: int) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    known = {"mode": mode, "format": kind, "palette": palette, "orientation": orientation}
    return {"width": width, "height": height, **known}


def decode_plain_jpeg(data: bytes) -> np.ndarray | None:
    """Return the pixels (height, width, 3) uint8 of a JPEG that needs nothing but decoding; None for all else.

    To the bit what Pillow gives, in a quarter of the time for small pictures: both use libjpeg-turbo, and Pillow
    reads the header in Python. What has EXIF, a colour profile or a fault is left to Pillow.
    """
    if not data.startswith(b"\xff\xd8") or any(mark in data for mark in NOT_PLAIN):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "Gray") or height * width > MAX_PIXELS:
            return None
        return simplejpeg.decode_jpeg(data, strict=True)
    except ValueError:
        return None


def open_picture(data: bytes) -> Image.Image:
    """Return the first frame, loaded whole, as it is stored; raises UnreadablePicture."""
    with silent_pillow():
        return _guarded(_open, data)


def _open(data: bytes) -> Image.Image:
    if not data:
        raise UnreadablePicture("is empty")
    image = Image.open(BytesIO(data), formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise UnreadablePicture(f"{image.width}x{image.height} is more than {MAX_PIXELS:,} pixels")
    image.load()
    return image


def upright_rgb(image: Image.Image, background: str) -> Image.Image:
    """Return a loaded picture turned as its EXIF says, in sRGB, transparent parts over `background` (a colour)."""
    orientation = _orientation(image)
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bit(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, background)
        image.alpha_composite(layer)
        image.info = layer.info  # its colour profile
    return _to_srgb(image)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 when there is none, or none that can be read."""
    if image.format != "TIFF" and not METADATA & image.info.keys():
        return 1  # sooner said than by Pillow, which takes a sixth of a small picture's time to find nothing
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF is read by hand-written parsers that raise anything; the pixels are good all the same
        return 1
    return orientation if orientation in range(1, 9) else 1


def _to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in RGB; its colours moved from its own profile to sRGB, when it has a usable other one."""
    profile = image.info.get("icc_profile")
    if image.mode == "RGBA":  # opaque by now
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            own = ImageCms.ImageCmsProfile(BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(own):
                moved = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
                image = moved or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile, or one of another kind of colours: most programs show the picture without it
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Return 16-bit or floating-point greyscale in 8 bit; Pillow's own conversion clips it to white."""
    pixels = np.asarray(image)
    scale = 1.0
    if image.mode.startswith("I;16") or pixels.max() > 255:
        scale = 1 / 257
    elif image.mode == "F" and pixels.max() <= 1:
        scale = 255.0
    grey = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), ROWS_AT_ONCE):  # the whole in float64 would be eight times as large
        rows = slice(start, start + ROWS_AT_ONCE)
        grey[rows] = np.clip(np.rint(pixels[rows] * np.float64(scale)), 0, 255)
    return Image.fromarray(grey, "L")


@contextmanager
def silent_pillow() -> Iterator[None]:
    """Silence what Pillow warns of: odd metadata, and sizes, which MAX_PIXELS judges."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _guarded(action: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `action` does; whatever Pillow raises on broken bytes becomes UnreadablePicture."""
    try:
        return action(*arguments)
    except UnreadablePicture:
        raise
    except Image.UnidentifiedImageError:
        raise UnreadablePicture("not a picture in a known format") from None
    except Exception as error:  # codecs raise nearly anything: OSError, SyntaxError, KeyError, struct.error
        reason = re.sub(r"0x[0-9a-f]+", "0x", str(error).split("\n")[0])  # an address differs in each run
        raise UnreadablePicture(f"does not decode whole: {reason or type(error).__name__}") from None
