"""From a picture as it is stored to upright sRGB: depth, transparency, colour profile, orientation."""

from functools import partial
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from darkroom.images.limits import UnreadablePicture

Depth = int | Literal["auto"]  # image.depth of params.yaml

TILE = 1024  # pixels of a side: what is converted at a time, so that steps in between take little memory
ORIENTATION = 0x0112  # EXIF tag
BITS_PER_SAMPLE = 258  # TIFF tag
TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
METADATA = {"exif", "Raw profile type exif", "Raw profile type APP1", "xmp", "XML:com.adobe.xmp"}  # where Pillow looks


def upright_rgb(image: Image.Image, background: str, depth: Depth) -> Image.Image:
    """Return a loaded picture in sRGB, transparent parts over `background` (a colour), turned as its EXIF says.

    `depth` says what is white in greyscale of more than 8 bits: see `white_level`. Raises UnreadablePicture.
    """
    orientation = orientation_of(image)
    deep = image.mode == "F" or image.mode.startswith("I")
    white, transform = (white_level(image, depth), None) if deep else (None, _to_srgb(image))
    if image.mode != "RGB" or image.has_transparency_data or transform:
        image = _by_tiles(image, partial(_to_rgb, white=white, background=background, transform=transform))
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def white_level(image: Image.Image, depth: Depth) -> float:
    """Return the value that is white in greyscale of more than 8 bits; 0 is black.

    Floating-point values go from 0 to 1, those of PGM to the white that the file declares. Other integers fill `depth`
    bits; with "auto" all that the format declares: 16, or what a TIFF says. It is the same for all pictures of a kind,
    whatever the values of one. Raises UnreadablePicture where the format declares no range.
    """
    if image.mode == "F":
        return 1.0
    if image.format == "PPM":  # it declares its white, and Pillow scales that to 16 bits
        return 65535.0
    if depth != "auto":
        return float(2**depth - 1)
    if not image.mode.startswith("I;16"):
        raise UnreadablePicture("integer greyscale without a declared range; set image.depth to its bits")
    bits: int = image.tag_v2.get(BITS_PER_SAMPLE, (16,))[0] if image.format == "TIFF" else 16  # type: ignore[attr-defined]
    return float(2**bits - 1)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 when there is none, or none that can be read."""
    if image.format != "TIFF" and not METADATA & image.info.keys():
        return 1  # Pillow takes a sixth of a small picture's time to find nothing
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF is read by hand-written parsers that raise anything; the pixels are good all the same
        return 1
    return orientation if orientation in range(1, 9) else 1


def _by_tiles(image: Image.Image, convert: partial[Image.Image]) -> Image.Image:
    """Return the picture in RGB, converted tile by tile."""
    width, height = image.size
    if max(width, height) <= TILE:
        return convert(image)
    whole = Image.new("RGB", image.size)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            box = (left, top, min(left + TILE, width), min(top + TILE, height))
            whole.paste(convert(image.crop(box)), box)
    return whole


def _to_rgb(
    tile: Image.Image, white: float | None, background: str, transform: ImageCms.ImageCmsTransform | None
) -> Image.Image:
    if white is not None:
        tile = _to_8_bit(tile, white)
    elif tile.has_transparency_data:
        layer = tile.convert("RGBA")
        tile = Image.new("RGBA", layer.size, background)
        tile.alpha_composite(layer)
        tile = tile.convert("RGB")
    moved = ImageCms.applyTransform(tile, transform) if transform else None
    return moved or (tile if tile.mode == "RGB" else tile.convert("RGB"))


def _to_8_bit(tile: Image.Image, white: float) -> Image.Image:
    """Return greyscale of more than 8 bits in 8; Pillow's own conversion clips it to white."""
    pixels = np.asarray(tile)
    if not (pixels.min() >= 0 and pixels.max() <= white):  # also when there is a NaN
        limit = "image.depth allows" if white > 1 else "floating-point greyscale may have"
        raise UnreadablePicture(f"values from {pixels.min():g} to {pixels.max():g}; {limit} 0 to {white:g}")
    return Image.fromarray(np.rint(pixels * np.float64(255 / white)).astype(np.uint8), "L")


def _to_srgb(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """Return what moves a picture's colours from its own profile to sRGB, when it has a usable other one."""
    profile = image.info.get("icc_profile")
    mode = "RGB" if image.has_transparency_data else image.mode  # transparent parts are filled by then
    if not profile or mode not in ("RGB", "CMYK"):
        return None
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(own):
            return None
        return ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None  # broken, or of another kind of colours: most programs show the picture without it
