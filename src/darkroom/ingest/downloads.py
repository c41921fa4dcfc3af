"""What addresses give, fetched once and kept."""

import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

TIMEOUT = 20  # seconds without a byte
TRIES = 3
WAIT = 0.5  # seconds before the second try, twice as long before the third
MAX_BYTES = 100_000_000  # larger ones are no pictures
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses that may pass
PLAIN = "%/:?&=#+,;@!$'()*[]~"  # characters of an address that stay as they are


def fetch(address: str, folder: Path) -> bytes:
    """Return what an http or https address gives; the first time it is written to `folder`. Raises OSError."""
    kept = folder / hashlib.sha256(address.encode()).hexdigest()
    if kept.exists():
        return kept.read_bytes()
    data = _download(address)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        file.write(data)
    os.replace(file.name, kept)  # noqa: PTH105 - whole or not at all
    return data


def _download(address: str) -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            return _download_once(address)
        except urllib.error.HTTPError as error:
            reason, final = f"HTTP {error.code} {error.reason}", error.code not in TRY_AGAIN
        except urllib.error.URLError as error:
            reason, final = str(error.reason), False
        except (OSError, http.client.HTTPException) as error:
            reason, final = str(error) or type(error).__name__, isinstance(error, http.client.InvalidURL)
        except ValueError as error:  # no host, a port that is no number
            reason, final = str(error), True
        if final or attempt == TRIES:
            break
        time.sleep(WAIT * 2 ** (attempt - 1))
    raise OSError(f"could not be fetched: {reason}")


def _download_once(address: str) -> bytes:
    request = urllib.request.Request(quote(address, safe=PLAIN), headers={"User-Agent": "darkroom"})
    with _opener().open(request, timeout=TIMEOUT) as answer:
        data: bytes = answer.read(MAX_BYTES + 1)
        promised = answer.headers.get("Content-Length", "")
        kind = answer.headers.get_content_type()
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes, too large for a picture")
    if kind == "text/html":  # a page that says sorry, which must not be kept
        raise ValueError("the answer is a web page, no picture")
    if promised.isdigit() and len(data) < int(promised):
        raise OSError("the answer was cut off")
    return data


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https only, also behind a redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener
