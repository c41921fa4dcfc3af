"""Whether the nodes of a cluster are fit for the work: the same versions as here, and the same folder."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from darkroom.core.files import naming_errors
from darkroom.execution.cluster import Node, ask_nodes


class Facts(NamedTuple):
    """What a node has: the versions of Python and of packages, and whether it sees a file of this machine."""

    versions: dict[str, str]
    sees: bool


def node_faults(packages: tuple[str, ...], folder: Path) -> dict[Node, list[str]]:
    """Return for each node what it has other than this machine: versions, or no sight of `folder`; [] when nothing.

    A new file in `folder` is looked for. Raises what `cluster.connect` does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sign = folder / f"{uuid4().hex}.partial"
    with naming_errors(sign):
        sign.touch()
    try:
        found = ask_nodes(facts_of, packages, sign)
    finally:
        sign.unlink()
    here = facts_of(packages, folder)
    return {node: _differences(facts, here, folder) for node, facts in found.items()}


def facts_of(packages: tuple[str, ...], sign: Path) -> Facts:
    """Return what this machine has."""
    versions = {"Python": platform.python_version()} | {name: _installed(name) for name in sorted(packages)}
    return Facts(versions, sign.exists())


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _differences(there: Facts, here: Facts, folder: Path) -> list[str]:
    other = {name: found for name, found in there.versions.items() if found != here.versions[name]}
    faults = [f"{name} is {found}, here {here.versions[name]}" for name, found in other.items()]
    unseen = f"does not see {folder}: mount this repository's file system there, at the same path"
    return faults if there.sees else [*faults, unseen]
