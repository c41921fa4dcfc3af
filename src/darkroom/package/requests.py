"""Pictures as they come in a request."""

import base64
import re

DATA_URL = re.compile(r"^data:[^,]*?;base64,", re.IGNORECASE)


def picture_bytes(value: object) -> bytes:
    """Return the bytes of a picture given as bytes or as base64: plain, url-safe, padded or not, or a data URL.

    Raises ValueError saying what is wrong with it.
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(f"image must be base64 text, not {type(value).__name__}")
    text = "".join(DATA_URL.sub("", value.strip()).split())
    text = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # also of characters outside ASCII
        raise ValueError("image is not base64") from None
