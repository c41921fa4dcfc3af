"""What a registered version answers on packed pictures, asked as a client of the served model would."""

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkroom.core.errors import first_line
from darkroom.execution.quiet import without_native_messages
from darkroom.images.packed import stream_pictures
from darkroom.tracking.store import redacted, tracking_uri

logger = logging.getLogger(__name__)
ROWS_AT_ONCE = 256
BYTES_AT_ONCE = 32_000_000  # of base64 text


class ServedError(Exception):
    """The version cannot be loaded, or does not answer every picture.

    The message is one for a file: what libraries say of it holds paths and hosts, and is only logged.
    """


def served_answers(uri: str, images: Path, image_ids: np.ndarray) -> pd.DataFrame:
    """Return what the version at `uri` (models:/...) answers on some packed pictures, in the order of `image_ids` (n,).

    The columns: label, probabilities ({class: probability}; None from a model that gives none). A picture that the
    version refuses, such as one beyond its limits, is left out. A few hundred pictures are in memory at a time. Raises
    ServedError, also when all are refused.
    """
    model = _load(uri)
    requests = _requests(images, set(image_ids.tolist()), *_request_limits(model))
    found = pd.concat([_answers(model, request) for request in requests])
    if found.empty:
        raise ServedError("it refuses all of these pictures")
    return found.loc[[name for name in image_ids.tolist() if name in found.index]]


def _request_limits(model: Any) -> tuple[int, int]:
    """Return how many pictures, and how many bytes of base64 text, a request may have; a bundle has its own limits."""
    try:
        own = model.unwrap_python_model().answers.limits
        return min(ROWS_AT_ONCE, own["rows"]), min(BYTES_AT_ONCE, own["bytes"])
    except Exception:  # whatever a model from elsewhere is
        return ROWS_AT_ONCE, BYTES_AT_ONCE


def _answers(model: Any, request: dict[str, str]) -> pd.DataFrame:
    """Return the answers on {image_id: base64 text} that are no errors; the index is image_id."""
    try:
        answers = model.predict(pd.DataFrame({"image": list(request.values())}))
        given = answers["probabilities"].tolist() if "probabilities" in answers else None
        columns = {"label": answers["label"].tolist(), "probabilities": given}
        answered = answers["error"].isna().to_numpy()
    except Exception as error:  # whatever a model from elsewhere may raise, or answer
        raise _refusal("it cannot answer every picture", first_line(error)) from error
    if len(answers) != len(request):
        raise _refusal("it cannot answer every picture", f"{len(answers)} answers")
    table: pd.DataFrame = pd.DataFrame(columns, list(request), dtype=object)[answered]
    return table


def _refusal(reason: str, detail: str) -> ServedError:
    logger.warning("not compared with the champion: %s: %s", reason, redacted(detail))
    return ServedError(reason)


def _load(uri: str) -> Any:
    import mlflow

    mlflow.set_tracking_uri(tracking_uri())
    try:
        with without_native_messages():
            return mlflow.pyfunc.load_model(uri)
    except Exception as error:  # of another library version, from elsewhere, its files deleted
        raise _refusal("it cannot be loaded", first_line(error)) from error


def _requests(images: Path, wanted: set[str], rows: int, most: int) -> Iterator[dict[str, str]]:
    """Yield {image_id: base64 text} of some pictures, up to `rows` and `most` bytes at a time, but at least one."""
    request: dict[str, str] = {}
    size = 0
    for name, data in stream_pictures(images, wanted):
        text = base64.b64encode(data).decode()
        if request and (len(request) == rows or size + len(text) > most):
            yield request
            request, size = {}, 0
        request[name] = text
        size += len(text)
    if request:
        yield request
