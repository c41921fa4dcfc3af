"""Large JPEGs are decoded at 1/2, 1/4 or 1/8, as their cosine transform allows, then brought to one size."""

from PIL import Image

DECODE_VERSION = 2  # 1: JPEGs are decoded whole; 2: large ones at a scale. A bundle says which its network has seen
SCALES = (8, 4, 2)  # those that libjpeg-turbo and Pillow's draft mode have, quick and to the bit the same
MARGIN = 2  # times the wanted side is left at least: differs from decoding whole by 46-49 dB, another filter by 35
LEAST_SIDE = 8  # pixels left of the short side, below which draft mode might take another scale
JUDGED_SIDE = 256  # pixels of the long side, at most, at which ingest measures a picture
JUDGED_LEAST = 384  # pixels of it that are left before it is reduced to that
Box = tuple[float, float, float, float]  # left, top, right, bottom


def jpeg_scale(width: int, height: int, size: int, resize: str) -> int:
    """Return by what a JPEG's sides may be divided, 1, 2, 4 or 8, when it is then resized to `size`; see `resized`.

    The short side decides; only "pad" brings the long one to `size`.
    """
    short, long = sorted((width, height))
    return min(_scale(long if resize == "pad" else short, MARGIN * size), _scale(short, LEAST_SIDE))


def judged_scale(width: int, height: int) -> int:
    """Return by what a JPEG's sides may be divided when it is only measured."""
    short, long = sorted((width, height))
    return min(_scale(long, JUDGED_LEAST), _scale(short, LEAST_SIDE))


def judged_factor(side: int) -> int:
    """Return by what a long side is divided to measure a picture; with judged_scale it comes to the same size."""
    halved = 1
    while side >= 2 * JUDGED_LEAST:
        side, halved = -(-side // 2), 2 * halved
    return halved * -(-side // JUDGED_SIDE)


def _scale(side: int, least: int) -> int:
    return next((by for by in SCALES if side >= least * by), 1)


def filled_part(width: int, height: int, scale: int, orientation: int = 1) -> Box:
    """Return which part of an upright picture, decoded at 1/`scale`, its `width` and `height` fill.

    Where `scale` does not divide a side, the last row or column as stored is filled in part; EXIF's `orientation` says
    where it is now.
    """
    right, bottom = width / scale, height / scale
    left = -right % 1 if orientation in (2, 3, 6, 7) else 0.0
    top = -bottom % 1 if orientation in (3, 4, 7, 8) else 0.0
    return left, top, left + right, top + bottom


def resized(image: Image.Image, part: Box, size: int, resize: str, background: str) -> Image.Image:
    """Return a `part` of an RGB picture at `size` x `size`: squashed, its middle square, or padded. See `decode`."""
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    if resize == "crop":
        side = min(width, height)
        left, top = left + (width - side) / 2, top + (height - side) / 2
        part = (left, top, left + side, top + side)
    if resize != "pad" or width == height:
        return image.resize((size, size), Image.Resampling.BILINEAR, part)
    shown = (size, round(height / width * size)) if width > height else (round(width / height * size), size)
    padded = Image.new("RGB", (size, size), background)
    if not min(shown):  # a line too thin to be seen
        return padded
    place = round((size - shown[0]) / 2), round((size - shown[1]) / 2)
    padded.paste(image.resize(shown, Image.Resampling.BILINEAR, part), place)
    return padded
