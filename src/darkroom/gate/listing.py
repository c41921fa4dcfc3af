"""The table of `darkroom versions`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from darkroom.gate.versions import (
    GATE_TAG,
    PROMOTED,
    ROLLED_BACK,
    aliases_of,
    all_versions,
    number_of,
    read_candidate,
    read_verdict,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

WIDTH = 80  # columns of a terminal


def version_rows(client: "MlflowClient", name: str, metric: str) -> list[dict[str, str]]:
    """Return a row of texts for each version of a model, the newest first; raises UserError when there is none.

    `classes` is their number, `data` the beginning of the digest of the pictures that validated the version.
    """
    aliases = aliases_of(client, name)
    return [_row(version, aliases, metric) for version in reversed(all_versions(client, name))]


def _row(version: "ModelVersion", aliases: dict[str, str], metric: str) -> dict[str, str]:
    number, known = number_of(version), read_candidate(version)
    score = known.score(metric)
    registered = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    return {
        "version": number,
        "alias": " ".join(alias for alias, of in sorted(aliases.items()) if of == number),
        "registered": f"{registered:%Y-%m-%d}",
        "by": version.tags.get(f"{GATE_TAG}by", ""),
        "verdict": _state(version),
        metric: "" if score is None else f"{score:.4f}",
        "classes": str(len(known.classes) or ""),
        "data": known.data.removeprefix("folds of ")[:8],
    }


def _state(version: "ModelVersion") -> str:
    """Return in one or two words what the gate, or a person, has decided."""
    if version.tags.get(ROLLED_BACK):
        return "rolled back"
    if version.tags.get(PROMOTED):
        return str(version.tags[PROMOTED])
    verdict = read_verdict(version)
    if verdict is None:
        return "not judged"
    return "released" if verdict.released else "waits" if verdict.manual else "failed"


def table_lines(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return the heading and a line for each row, in columns as wide as they need to be; names of users are cut."""
    fitted = _fitted(rows)
    names = list(fitted[0])
    widths = {name: max(len(name), *(len(row[name]) for row in fitted)) for name in names}
    shown = [dict(zip(names, names, strict=True)), *fitted]
    return ["  ".join(row[name].ljust(widths[name]) for name in names).rstrip() for row in shown]


def _fitted(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the rows with users' names so short that a line has `WIDTH` columns, as far as that goes."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    excess = sum(widths.values()) + 2 * (len(widths) - 1) - WIDTH
    most = max(widths["by"] - max(excess, 0), 4)
    return [{**row, "by": row["by"] if len(row["by"]) <= most else row["by"][: most - 1] + "…"} for row in rows]


def open_questions(client: "MlflowClient", name: str) -> list[str]:
    """Return a line about the challenger, if there is one: why it was not released, and what a person may do."""
    number = aliases_of(client, name).get("challenger")
    if number is None:
        return []
    version = client.get_model_version(name, number)
    verdict = read_verdict(version)
    why = "; ".join(verdict.reasons) if verdict else "never judged"
    command = f"; `darkroom promote {number}` confirms it" if verdict and verdict.manual else ""
    return [f"version {number} is the challenger: {why}{command}"]
