"""The body of `/invocations`: MLflow's four forms of JSON, read as MLflow reads them, without its tables."""

import json
from typing import Any

FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
MISSING = "the request has no pictures; each row needs the column `image`"


def read_invocation(body: bytes) -> tuple[list[object], dict[str, object] | None]:
    """Return the pictures of a request, as they stand there, and its params.

    Raises ValueError, in one line that quotes nothing of the body.
    """
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):  # the message quotes the body
        raise ValueError("the body is not JSON in UTF-8") from None
    if not isinstance(sent, dict):
        raise ValueError("the body must be a JSON object")
    forms = [form for form in FORMS if form in sent]
    if len(forms) != 1:
        raise ValueError(f"the body needs exactly one of {', '.join(FORMS)}")
    params = sent.get("params")
    if params is not None and not isinstance(params, dict):
        raise ValueError("params must be a JSON object")
    return _READERS[forms[0]](sent[forms[0]]), params


def _split(table: Any) -> list[object]:
    if not isinstance(table, dict) or not isinstance(table.get("data"), list):
        raise ValueError("dataframe_split must be an object with columns and data")
    columns, rows = table.get("columns"), table["data"]
    if not isinstance(columns, list) or "image" not in columns:
        raise ValueError(MISSING)
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        raise ValueError("dataframe_split: each row of data needs a value for each of columns")
    place = columns.index("image")
    return [row[place] for row in rows]


def _records(rows: Any) -> list[object]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError('the rows must be a list of objects, such as {"image": "..."}')
    if not any("image" in row for row in rows):
        raise ValueError(MISSING)
    return [row.get("image") for row in rows]


def _tensor(given: Any) -> list[object]:
    """Read inputs and instances: pictures, objects with the column `image`, or that column as a whole."""
    if isinstance(given, dict):
        if "image" not in given:
            raise ValueError(MISSING)
        given = given["image"]
    if not isinstance(given, list):
        given = [given]
    return _records(given) if any(isinstance(row, dict) for row in given) else given


_READERS = {"dataframe_split": _split, "dataframe_records": _records, "inputs": _tensor, "instances": _tensor}
