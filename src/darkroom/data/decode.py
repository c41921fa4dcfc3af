"""The one way from a file's bytes to pixels: ingest, training and serving all use it."""

import re
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

MAX_PIXELS = 100_000_000  # refused before memory is spent on it
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
# decoded by Pillow itself: EPS would start another program, and TGA and the like are guessed from nothing
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "PCX", "SGI")


class UnreadablePicture(ValueError):
    """The bytes are no picture, or do not decode whole; the text is the reason."""


def decode(data: bytes, size: int, resize: str, background: str) -> np.ndarray:
    """Return a picture as upright sRGB of (size, size, 3) uint8; raises UnreadablePicture.

    `resize`: "squash" both sides, "crop" the middle square, or "pad" to a square with `background`.
    """
    image = _guard(lambda: upright_rgb(open_picture(data), background))
    return np.asarray(_resized(image, size, resize, background))


def _resized(image: Image.Image, size: int, resize: str, background: str) -> Image.Image:
    if resize == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    if resize == "pad":
        return ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR, background)
    return image.resize((size, size), Image.Resampling.BILINEAR)


def inspect(data: bytes) -> dict[str, Any]:
    """Decode a picture whole and return its facts: width, height (upright), mode, format, orientation.

    Raises UnreadablePicture.
    """
    image = open_picture(data)
    upright = _guard(lambda: upright_rgb(image, "white"))  # what training will do must work
    return {
        "width": upright.width,
        "height": upright.height,
        "mode": image.mode,
        "format": image.format,
        "orientation": _orientation(image),
    }


def open_picture(data: bytes) -> Image.Image:
    """Return the first frame, loaded whole, as it is stored; raises UnreadablePicture."""
    return _guard(lambda: _open(data))


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
    return image.convert("RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Return 16-bit or floating-point greyscale in 8 bit; Pillow's own conversion clips it to white."""
    pixels = np.asarray(image).astype(np.float64)
    if image.mode.startswith("I;16") or (pixels.size and pixels.max() > 255):
        pixels = pixels / 257.0
    elif image.mode == "F" and pixels.size and pixels.max() <= 1:
        pixels = pixels * 255.0
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "L")


def _guard(action: Any) -> Any:
    """Return what `action` does; whatever Pillow raises on broken bytes becomes UnreadablePicture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata and of sizes, which MAX_PIXELS judges
            return action()
    except UnreadablePicture:
        raise
    except Image.UnidentifiedImageError:
        raise UnreadablePicture("not a picture in a known format") from None
    except Exception as error:  # codecs raise nearly anything: OSError, SyntaxError, KeyError, struct.error
        reason = re.sub(r"0x[0-9a-f]+", "0x", str(error).split("\n")[0])  # an address differs in each run
        raise UnreadablePicture(f"does not decode whole: {reason or type(error).__name__}") from None
