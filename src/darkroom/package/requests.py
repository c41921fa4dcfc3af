"""Pictures as they arrive in a request, and how much of them one request may hold."""

import base64
import re
from collections.abc import Iterable, Mapping
from math import isnan

import numpy as np

COLUMN = "image"
DATA_URL = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
WHITESPACE = b" \t\r\n\v\f"
STANDARD = bytes.maketrans(b"-_", b"+/")  # the url-safe alphabet in the standard one
CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency
NO_PICTURES = f"the request has no pictures; each row needs the column `{COLUMN}`"


def pictures_in(value: object) -> list[object]:
    """Return the pictures of `inputs`, `instances` or a list of records, each as it was sent.

    `value` is one picture or several: base64 text, bytes, or numbers of the shape (height, width), with or without 1, 3
    or 4 channels; several of the same shape; or a mapping, or a list of them, with such values under `image`. Raises
    ValueError when there are only mappings without it, and for a mapping below `image`.
    """
    if isinstance(value, Mapping):
        value = value.get(COLUMN, value)
        if isinstance(value, Mapping):
            raise ValueError(NO_PICTURES)
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUS":
        value = value.ravel().tolist()
    if not isinstance(value, list | tuple | np.ndarray) or _is_picture(shape_of(value)):
        return [value]
    rows = [row.get(COLUMN) if isinstance(row, Mapping) else row for row in value]
    if rows and all(isinstance(row, Mapping) and COLUMN not in row for row in value):
        raise ValueError(NO_PICTURES)
    return rows


def shape_of(value: object) -> tuple[int, ...]:
    """Return the shape of an array, or of nested lists of numbers by their first elements; () for all else."""
    if isinstance(value, np.ndarray):
        return tuple(value.shape)
    shape = []
    while isinstance(value, list | tuple) and value:
        shape.append(len(value))
        value = value[0]
    return tuple(shape) if isinstance(value, int | float) else ()


def _is_picture(shape: tuple[int, ...]) -> bool:
    """Tell whether numbers of this shape are one picture; (n, height, 3) is not n grey ones, 3 pixels wide."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in CHANNELS)


def picture_bytes(value: object, most: int) -> bytes:
    """Return the bytes of a picture given as bytes or as base64: plain, url-safe, padded or not, or a data URL.

    Uses about three times the memory of `value`. Raises ValueError with a reason that quotes nothing of it, above all
    for more than `most` bytes.
    """
    if isinstance(value, bytes | str) and len(value) * (3 / 4 if isinstance(value, str) else 1) > most + 300:
        raise ValueError(f"a picture may hold {most:,} bytes")
    if isinstance(value, bytes):
        return value
    null = value == "None" if isinstance(value, str) else value is None or (isinstance(value, float) and isnan(value))
    if null:  # pandas and MLflow turn null into NaN and "None"
        raise ValueError("image is null; send the picture as base64 text")
    if not isinstance(value, str):
        raise ValueError(f"image must be base64 text, not {type(value).__name__}")
    try:
        text = value.encode("ascii").strip()
        if prefix := DATA_URL.match(text):
            text = text[prefix.end() :]
        text = text.translate(STANDARD, WHITESPACE).rstrip(b"=")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error are ValueErrors; both quote the text
        raise ValueError("image is not base64") from None


def picture_numbers(value: object) -> np.ndarray:
    """Return a picture given as numbers from 0 to 255 as (height, width) or (height, width, 3 or 4) uint8.

    Raises ValueError with a reason that quotes nothing of it.
    """
    try:
        # as float32 whatever is in it: an array of texts would give each the room of the longest
        numbers = np.asarray(value, None if isinstance(value, np.ndarray) else np.float32)
        with np.errstate(invalid="ignore"):
            pixels = numbers.astype(np.uint8)
        whole = bool((pixels == numbers).all())
    except (ValueError, TypeError, OverflowError):
        raise ValueError("an image of numbers needs rows of equal length, of numbers only") from None
    if not pixels.size or not _is_picture(pixels.shape):
        raise ValueError("an image of numbers needs the shape (height, width) or (height, width, channels)")
    if not whole:
        raise ValueError("an image of numbers needs whole ones, from 0 to 255")
    return pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels


def limit_errors(values: Iterable[object], rows: int, size: int) -> list[str | None]:
    """Return for each value of a request None, or why it is not answered.

    The first `rows` values are answered, as long as they hold at most `size` bytes (characters of base64) together.
    """
    errors: list[str | None] = []
    used = 0
    for place, value in enumerate(values):
        used += len(value) if isinstance(value, str | bytes) else 0
        if place >= rows:
            errors.append(f"a request may hold {rows:,} pictures; send this one in another request")
        elif used > size:
            errors.append(
                f"the pictures of a request may hold {size:,} bytes together; send this one in another request"
            )
        else:
            errors.append(None)
    return errors
