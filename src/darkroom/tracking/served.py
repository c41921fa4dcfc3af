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
from darkroom.images.packed import list_shards, shard_ids, shard_pictures
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

    The columns: label, probabilities ({class: probability}; None from a model that gives none). A few hundred pictures
    are in memory at a time. Raises ServedError.
    """
    model = _load(uri)
    parts = [_answers(model, request) for request in _requests(images, set(image_ids.tolist()))]
    return pd.concat(parts).loc[image_ids]


def _answers(model: Any, request: dict[str, str]) -> pd.DataFrame:
    """Return the answers on {image_id: base64 text}; the index is image_id."""
    try:
        answers = model.predict(pd.DataFrame({"image": list(request.values())}))
        given = answers["probabilities"].tolist() if "probabilities" in answers else None
        columns = {"label": answers["label"].tolist(), "probabilities": given}
        errors = answers["error"].dropna().tolist()
    except Exception as error:  # whatever a model from elsewhere may raise, or answer
        raise _refusal("it cannot answer every picture", first_line(error)) from error
    if errors or len(answers) != len(request):
        raise _refusal("it cannot answer every picture", str(errors[0] if errors else f"{len(answers)} answers"))
    return pd.DataFrame(columns, list(request), dtype=object)


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


def _requests(images: Path, wanted: set[str]) -> Iterator[dict[str, str]]:
    """Yield {image_id: base64 text} of some pictures, as many at a time as a request may have."""
    request: dict[str, str] = {}
    size = 0
    for name, data in _pictures(images, wanted):
        text = base64.b64encode(data).decode()
        if request and (len(request) == ROWS_AT_ONCE or size + len(text) > BYTES_AT_ONCE):
            yield request
            request, size = {}, 0
        request[name] = text
        size += len(text)
    if request:
        yield request


def _pictures(images: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    for shard in list_shards(images):
        names = shard_ids(shard).tolist()
        if not wanted.isdisjoint(names):
            yield from ((name, data) for name, data in zip(names, shard_pictures(shard), strict=True) if name in wanted)
