"""Files behind http and https addresses, downloaded once and kept."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import TypeVar

from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, InvalidSchema, RequestException
from urllib3.util import Retry

TIMEOUT = 20  # seconds without a byte
TRIES = 3
BACKOFF = 0.5  # urllib3 waits twice as long, 1 second, before the third try
MAX_BYTES = 100_000_000  # a larger file is not a picture
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses that may pass
CHUNK = 1 << 20  # bytes
T = TypeVar("T")


def fetch(address: str, folder: Path) -> bytes:
    """Return what is at an http or https address; the first time it is written to `folder`. Raises OSError."""
    kept = folder / hashlib.sha256(address.encode()).hexdigest()
    if kept.exists():
        return kept.read_bytes()
    data = download(address, _content)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        file.write(data)
    os.replace(file.name, kept)  # noqa: PTH105 - whole or not at all
    return data


def download(address: str, take: Callable[[Response], T]) -> T:
    """Return what `take` makes of the response, requested again when it breaks off; raises OSError.

    An error, and a web page, which is one that does not say so, are no response.
    """
    for _ in range(TRIES):
        try:
            with _session(get_ident()).get(address, timeout=TIMEOUT, stream=True) as response:
                _require_file(response)
                return take(response)
        except ChunkedEncodingError:  # too late for the session to retry
            reason = "the response was cut off"
        except InvalidSchema:
            raise OSError("could not be fetched: it leads to an address that is not http or https") from None
        except (RequestException, ValueError) as error:
            raise OSError(f"could not be fetched: {_cause(error)}") from None
    raise OSError(f"could not be fetched: {reason}")


def _require_file(response: Response) -> None:
    if not response.ok:
        raise RequestException(f"HTTP {response.status_code} {response.reason}")
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise RequestException("it is a web page, not a picture or a file of them")


def _content(response: Response) -> bytes:
    """Return the body of a response; raises RequestException when it is too large for a picture."""
    data = bytearray()
    for chunk in response.iter_content(CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise RequestException(f"more than {MAX_BYTES:,} bytes, too large for a picture")
    return bytes(data)


@cache
def _session(thread: int) -> Session:  # noqa: ARG001
    """Return the session of a thread: it keeps connections, retries, and opens http and https only."""
    retry = Retry(
        TRIES - 1,
        backoff_factor=BACKOFF,
        status_forcelist=TRY_AGAIN,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may say hours
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # otherwise it prints each retry
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    session.headers.update({"User-Agent": "darkroom", "Accept-Encoding": "identity"})
    return session


def _cause(error: BaseException) -> str:
    """Return the innermost cause: outer errors hold addresses of objects, which differ in each run."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
