"""`darkroom versions`, `promote` and `rollback`: what is registered, and what a person decides about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from darkroom.core.files import canonical_json
from darkroom.core.paths import workspace
from darkroom.gate.by_hand import promote_version, roll_back
from darkroom.gate.listing import open_questions, table_lines, version_rows
from darkroom.params.load import load_params
from darkroom.params.release import Package
from darkroom.tracking.store import existing_store

if TYPE_CHECKING:
    from mlflow import MlflowClient


def list_versions(as_json: bool) -> int:
    """Print the versions of the registered model, and the reason for which the challenger is one; return 0."""
    with _registry() as (client, package):
        rows = version_rows(client, package.name, package.metric)
        if as_json:
            print(canonical_json(rows, indent=2))
            return 0
        print("\n".join([*table_lines(rows), *open_questions(client, package.name)]))
    return 0


def promote(number: str, force: bool) -> int:
    """Make a version the champion and say so; return 0. Raises UserError."""
    with _registry() as (client, package):
        before = promote_version(client, package.name, number, force)
        after = f"; version {before} is the previous one" if before else ""
        print(f"version {number} of {package.name} is the champion now{after}")
    return 0


def rollback() -> int:
    """Let champion and previous change places and say so; return 0. Raises UserError."""
    with _registry() as (client, package):
        champion, before = roll_back(client, package.name)
        after = f"; `darkroom promote {before}` undoes that" if before else ""
        print(f"version {champion} of {package.name} is the champion again{after}")
    return 0


@contextmanager
def _registry() -> "Iterator[tuple[MlflowClient, Package]]":
    """Yield the store and the section package of params.yaml; raises UserError when there is no store, or it fails."""
    package = load_params(workspace() / "params.yaml").package
    action = f"working on the versions of {package.name}"
    with existing_store(action, "`make repro` makes one and registers a model") as client:
        yield client, package
