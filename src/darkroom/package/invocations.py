"""From the body of an HTTP request to the body of its answer, as MLflow's /invocations: bounded, without echoes.

MLflow's own function copies a request several times, gives each text of a list the room of the longest, and repeats a
body that is not JSON in its error, however large.
"""

import ctypes
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple, Protocol

from darkroom.package.options import Options, read_options
from darkroom.package.requests import COLUMN, NO_PICTURES, pictures_in

FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
JSON = "application/json"
LARGE = 4_000_000  # bytes of a body; of such one at a time is answered
SECONDS = 20.0  # in which pictures are begun; MLflow's server answers 504 after 60, and its thread would work on
# What Python makes of JSON is larger than its text. A number takes up to 32 bytes, a list 90 and an object 230: so
# much for each comma and bracket, and never more than 200 MB. Base64 has none of the three.
VALUES = 6_000_000
WEIGHTS = {b",": 1, b"[": 3, b"{": 8}
MMAP_THRESHOLD, ARENA_MAX = (-3, 2**20), (-8, 2)  # of mallopt(3): bytes of a block that is mapped, and heaps
one_large = Lock()


class Model(Protocol):
    """What answers on pictures as they were sent: answers.Answers, or what stands before it."""

    @property
    def limits(self) -> dict[str, int]:
        """The most that a request may hold."""

    def __call__(self, values: Sequence[object], options: Options) -> list[dict[str, Any]]:
        """Return an answer on each value."""


class Reply(NamedTuple):
    """The answer to a request: a text in JSON, and the HTTP status."""

    text: str
    status: int


class Refusal(ValueError):
    """A request that is not answered; the text is the reason, in one line that quotes nothing of it."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def answer_body(answers: Model, body: bytes, content_type: str | None) -> Reply:
    """Answer the body of a request to /invocations: 200, or a status from 400 to 499 with a reason in one line."""
    until = monotonic() + SECONDS
    try:
        _require_json(content_type)
        _require_size(body, answers.limits["bytes"])
        with _turn(body):
            values, options = read_body(body)
            if len(values) > answers.limits["rows"]:
                raise Refusal(f"a request may hold {answers.limits['rows']:,} pictures; this has {len(values):,}", 413)
            return Reply(json.dumps({"predictions": answers(values, replace(options, until=until))}), 200)
    except MemoryError:
        return _refused("the request is too large for the memory left", 413)
    except ValueError as error:
        return _refused(str(error), getattr(error, "status", 400))


def read_body(body: bytes) -> tuple[list[object], Options]:
    """Return the pictures of a request, each as it was sent, and what it asks for; raises ValueError."""
    request = _parse(body)
    given = [form for form in FORMS if form in request]
    if len(given) != 1:
        raise Refusal(f"the request must have one of {', '.join(FORMS)}; it has {len(given) or 'none'} of them")
    params = request.get("params")
    if not isinstance(params, Mapping | None):
        raise Refusal('params must be an object, such as {"top": 3}')
    options, content = read_options(params), request[given[0]]
    if given[0] == "dataframe_split":
        return _column(content), options
    if given[0] == "dataframe_records" and not isinstance(content, list):
        raise Refusal("dataframe_records must be a list of objects")
    return pictures_in(content), options


def serve(answers: Model) -> None:
    """Let MLflow's server, which is about to start in this process, answer /invocations by `answer_body`."""
    server: Any = sys.modules["mlflow.pyfunc.scoring_server"]
    return_memory()

    def invocations(data: bytes, content_type: str | None, *_: object) -> Any:
        reply = answer_body(answers, data, content_type)
        return server.InvocationsResponse(reply.text, reply.status, JSON)

    server.invocations = invocations


def return_memory() -> None:
    """Let glibc return large blocks to the system when they are freed; by itself it keeps those of up to 32 MB."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no mallopt
            for setting in (MMAP_THRESHOLD, ARENA_MAX):
                ctypes.CDLL(None).mallopt(*setting)


@contextmanager
def _turn(body: bytes) -> Iterator[None]:
    """Wait until no other large body is at work; raises Refusal where that takes too long."""
    if len(body) <= LARGE:
        yield
        return
    if not one_large.acquire(timeout=SECONDS):
        raise Refusal("other large requests are at work; try again in a moment", 429)
    try:
        yield
    finally:
        one_large.release()


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):  # the error of a body that is no Unicode quotes it
        raise Refusal("the body is not JSON") from None
    if not isinstance(request, dict):
        raise Refusal(f"the body must be a JSON object with one of {', '.join(FORMS)}")
    return request


def _column(table: object) -> list[object]:
    """Return the column `image` of a table that is split into columns and data."""
    columns, data = (table.get(name) for name in ("columns", "data")) if isinstance(table, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(data, list):
        raise Refusal("dataframe_split must be an object with the lists columns and data")
    if COLUMN not in columns:
        raise Refusal(NO_PICTURES)
    place = columns.index(COLUMN)
    return [row[place] if isinstance(row, list) and len(row) > place else None for row in data]


def _require_json(content_type: str | None) -> None:
    kind, *settings = (part.strip().lower() for part in (content_type or "none").split(";"))
    if kind != JSON or any(setting not in ("", "charset=utf-8", 'charset="utf-8"') for setting in settings):
        raise Refusal(f"send {JSON}, in UTF-8", 415)


def _require_size(body: bytes, most: int) -> None:
    if len(body) > most:
        raise Refusal(f"a request may hold {most:,} bytes; this has {len(body):,}", 413)
    if sum(weight * body.count(mark) for mark, weight in WEIGHTS.items()) > VALUES:
        raise Refusal("the request has too many numbers or rows; send fewer, and pictures as base64", 413)


def _refused(reason: str, status: int) -> Reply:
    code = "INVALID_PARAMETER_VALUE" if status == 400 else "BAD_REQUEST"
    return Reply(json.dumps({"error_code": code, "message": reason}), status)
