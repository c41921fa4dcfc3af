"""Right labels that are posted back: one outcome, or a list of them."""

import asyncio
import json
from collections.abc import Collection, Sequence
from queue import Full

from darkroom.app.recording import Recorder
from darkroom.app.replies import Refused
from darkroom.core.errors import UserError

MOST = 1000  # in one request
LONGEST = 400  # characters of a key and a label
BYTES = MOST * (6 * LONGEST + 100)  # of a request: JSON may write a character as \u0000
Outcome = tuple[str, str]  # key of the request, right label


def read_outcomes(body: bytes, classes: Collection[str]) -> list[Outcome]:
    """Return the outcomes of a body, {"request": key, "label": one of `classes`} or a list of such.

    Raises ValueError, and Refused for more than BYTES: lists in JSON take thirty times the memory of their text.
    """
    if len(body) > BYTES:
        raise Refused(413, f"a request may hold {MOST:,} outcomes and {BYTES:,} bytes")
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON in UTF-8") from None
    found = sent if isinstance(sent, list) else [sent]
    if len(found) > MOST:
        raise ValueError(f"a request may hold {MOST:,} outcomes")
    outcomes = [_outcome(one) for one in found]
    if not {label for _, label in outcomes}.issubset(classes):
        raise ValueError("label is not one of the classes")
    return outcomes


def _outcome(one: object) -> Outcome:
    request, label = (one.get("request"), one.get("label")) if isinstance(one, dict) else (None, None)
    if not isinstance(request, str) or not isinstance(label, str) or not (0 < len(request + label) <= LONGEST):
        raise ValueError('an outcome is an object such as {"request": "key of the answer", "label": "right class"}')
    return request, label


async def record_outcomes(recorder: Recorder, outcomes: Sequence[Outcome]) -> int:
    """Record outcomes; return how many of their requests the log knows. Raises Refused when it cannot be written."""
    try:
        return await asyncio.wrap_future(recorder.outcomes(outcomes))
    except Full:
        raise Refused(503, "the log is busy; try again in a moment") from None
    except UserError as error:
        raise Refused(503, str(error)) from None
