"""Pictures as they arrive in a request, and how much of them one request may hold."""

import base64
import re
from collections.abc import Iterable

DATA_URL = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
WHITESPACE = b" \t\r\n\v\f"
STANDARD = bytes.maketrans(b"-_", b"+/")  # the url-safe alphabet in the standard one


def picture_bytes(value: object) -> bytes:
    """Return the bytes of a picture given as bytes or as base64: plain, url-safe, padded or not, or a data URL.

    Uses about three times the memory of `value`. Raises ValueError with a reason that quotes nothing of it.
    """
    if isinstance(value, bytes):
        return value
    if value is None or value != value or value == "None":  # pandas and MLflow turn null into NaN and "None"
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
