"""Replies in JSON, and refusals of one line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from darkroom.package.options import Options, read_options


class Refused(Exception):
    """A request that is answered with `status` and one line of text, which quotes nothing of it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@contextmanager
def refusing(status: int) -> Iterator[None]:
    """Turn a ValueError of the block into a refusal with this status."""
    try:
        yield
    except ValueError as error:
        raise Refused(status, str(error)) from None


def json_reply(value: Any, status: int = 200, key: str = "") -> Response:
    """Return a reply with the bytes that MLflow's scoring server makes of `value`; `key` is that of the request."""
    headers = {"X-Request-ID": key} if key else None
    return Response(json.dumps(value).encode(), status, headers, "application/json")


def query_options(request: Request) -> Options:
    """Return the options in the query of an address; raises ValueError."""
    return read_options({name: _value(text) for name, text in request.query_params.items()})


def _value(text: str) -> object:
    try:
        return json.loads(text)  # a number, true or false
    except (ValueError, RecursionError):
        return text
