"""What stands on a registered version: what the gate knows of it, its verdict, who did what and when."""

import getpass
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.gate.verdict import Candidate, Verdict
from darkroom.tracking.champion import FACTS_TAG, champion_version
from darkroom.tracking.store import all_pages

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

GATE_TAG = "darkroom.gate."
VERDICT, PROMOTED, ROLLED_BACK = (GATE_TAG + name for name in ("verdict", "promoted", "rolled_back"))


def get_champion(client: "MlflowClient", name: str) -> tuple["ModelVersion | None", Candidate | None]:
    """Return the version with the alias champion and what the gate knows of it; (None, None) when there is none.

    The candidate of a model from elsewhere, whose alias was set by hand, is empty.
    """
    version = champion_version(client, name)
    return (version, read_candidate(version)) if version else (None, None)


def read_candidate(version: "ModelVersion") -> Candidate:
    """Return what the gate knows of a version."""
    return Candidate.from_json(version.tags.get(FACTS_TAG, "{}"))


def read_verdict(version: "ModelVersion") -> Verdict | None:
    """Return the gate's verdict on a version; None when it was never judged."""
    return Verdict.from_json(version.tags[VERDICT]) if VERDICT in version.tags else None


def number_of(version: "ModelVersion | None") -> str:
    """Return the number of a version, "" for none; MLflow has an int or a str, depending on the store."""
    return str(version.version) if version else ""


def all_versions(client: "MlflowClient", name: str) -> list["ModelVersion"]:
    """Return the versions of a model, the first one first; raises UserError when there is none."""
    found = list(all_pages(partial(client.search_model_versions, f"name = '{name}'")))
    if not found:
        raise UserError(f"{name} has no version in this MLflow store; `make repro` registers one", status=1)
    return sorted(found, key=lambda version: int(version.version))


def find_numbered(client: "MlflowClient", name: str, number: str) -> "ModelVersion":
    """Return a version by its number; raises UserError when there is none with it."""
    versions = {number_of(version): version for version in all_versions(client, name)}
    if number not in versions:
        raise UserError(f"{name} has no version {number}; there are: {', '.join(versions)}", status=1)
    return versions[number]


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Return the number of the version that each alias of a model stands for; none for a model that does not exist."""
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {alias: str(number) for alias, number in aliases.items()}


def record_verdict(client: "MlflowClient", name: str, number: str, candidate: Candidate, verdict: Verdict) -> None:
    """Write on a version the verdict, its reasons, the data, the commit, who and when, and what a person may type."""
    tags = {
        "verdict": verdict.to_json(),
        "released": str(verdict.released).lower(),
        "reasons": "; ".join(verdict.reasons),
        "data": candidate.data,
        "commit": git_commit(),
        "promote": f"darkroom promote {number}" if verdict.manual else "",
    }
    set_tags(client, name, number, {GATE_TAG + key: value for key, value in {**tags, **who_and_when()}.items()})


def set_tags(client: "MlflowClient", name: str, number: str, tags: Mapping[str, str]) -> None:
    """Write tags on a version."""
    for key, value in tags.items():
        client.set_model_version_tag(name, number, key, value)


def who_and_when() -> dict[str, str]:
    """Return the user's name ("by") and the time, UTC ("at")."""
    return {"by": _user_name(), "at": datetime.now(UTC).isoformat(timespec="seconds")}


def git_commit() -> str:
    """Return the commit that is checked out; "" outside a repository, and where Git is not installed."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in passwd, as with `docker run -u 12345`
        return str(os.getuid())
