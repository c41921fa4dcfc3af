"""`darkroom doctor`: check that everything is installed and works."""

import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from darkroom.core.errors import first_line
from darkroom.core.paths import cache_folder, project_root, workspace
from darkroom.execution.cluster import ADDRESS, Node, on_cluster
from darkroom.execution.node_check import node_faults
from darkroom.params.load import load_params
from darkroom.stage import LIBRARIES
from darkroom.tracking.relocate import find_moved, mend_moved
from darkroom.tracking.store import redacted

PACKAGES = (
    "dvc",
    "mlflow",
    "tensorflow",
    "keras",
    "onnxruntime",
    "optuna",
    "pandas",
    "scikit-learn",
    "pillow",
    "great-expectations",
)


class Finding(NamedTuple):
    """The result of one check."""

    passed: bool
    text: str


def run_checks(fix: bool) -> int:
    """Print one line per check; return 0 when all pass, otherwise 1. With `fix`, repair what can be repaired."""
    checks: list[Callable[[], Finding]] = [
        _python,
        _packages,
        _params,
        lambda: _artifact_paths(fix),
        _store,
        _champion,
        _devices,
        _training_step,
    ]
    findings = [_print_finding(check) for check in checks]
    if on_cluster():
        findings += _print_nodes()
    return 0 if all(finding.passed for finding in findings) else 1


def _print_finding(check: Callable[[], Finding]) -> Finding:
    try:
        finding = check()
    except Exception as error:  # finding out what a check fails with is the purpose of this command
        finding = Finding(False, f"{type(error).__name__}: {redacted(first_line(error))}")
    print(f"{'ok  ' if finding.passed else 'FAIL'} {finding.text}", flush=True)
    return finding


def _print_nodes() -> list[Finding]:
    """Print a line for the cluster and for each of its nodes."""
    faults: dict[Node, list[str]] = {}

    def cluster() -> Finding:
        faults.update(node_faults(tuple({*PACKAGES, *LIBRARIES, "ray"}), cache_folder()))
        return Finding(True, f"cluster: {os.environ[ADDRESS]}, {len(faults)} nodes")

    return [_print_finding(cluster), *(_print_finding(partial(_node, *one)) for one in faults.items())]


def _node(node: Node, faults: list[str]) -> Finding:
    if faults:
        return Finding(False, f"node {node.address}: {'; '.join(faults)}")
    return Finding(True, f"node {node.address}: {node.cpus:g} CPU, {node.gpus:g} GPU, same versions, sees this folder")


def _python() -> Finding:
    from joblib import cpu_count

    supported = (3, 11) <= sys.version_info[:2] <= (3, 12)
    return Finding(supported, f"Python {platform.python_version()} (supported: 3.11, 3.12), {cpu_count()} cores")


def _packages() -> Finding:
    """Compare the installed versions with requirements.txt."""
    locked = _locked_versions()
    wrong = [name for name in PACKAGES if _installed(name) != locked[name]]
    if wrong:
        differences = ", ".join(f"{name} is {_installed(name)}, should be {locked[name]}" for name in wrong)
        return Finding(False, f"packages: {differences}; run `make env`")
    return Finding(True, "packages: " + ", ".join(f"{name} {locked[name]}" for name in PACKAGES))


def _locked_versions() -> dict[str, str]:
    lines = (workspace() / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith((" ", "#"))]
    return dict(pinned)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _params() -> Finding:
    load_params(workspace() / "params.yaml")
    return Finding(True, "params.yaml: every key is known, every value is valid")


def _artifact_paths(fix: bool) -> Finding:
    """Find artifact paths of another folder, which a moved repository leaves in its MLflow store."""
    store = project_root() / "mlflow.db"
    if not store.exists():
        return Finding(True, "MLflow artifacts: none yet, the first stage records some")
    moved = find_moved(store, project_root())
    if not moved:
        return Finding(True, "MLflow artifacts: where the store expects them")
    if not fix:
        places = f"{moved} paths point to another folder (was the repository moved?)"
        return Finding(False, f"MLflow artifacts: {places}; run `darkroom doctor --fix`")
    mend_moved(store, project_root())
    return Finding(True, f"MLflow artifacts: fixed, {moved} paths now point to this folder")


def _store() -> Finding:
    from darkroom.tracking.store import connect, tracking_uri

    connect()
    return Finding(True, f"MLflow store: {redacted(tracking_uri())} answers")


def _champion() -> Finding:
    from darkroom.gate.versions import get_champion
    from darkroom.tracking.store import connect

    name = load_params(workspace() / "params.yaml").package.name
    found, _ = get_champion(connect(), name)
    if found:
        return Finding(True, f"champion: {name} version {found.version}")
    if (workspace() / "reports" / "package.json").exists():
        return Finding(False, f"champion: {name} has none in this store; run `dvc repro --single-item --force package`")
    return Finding(True, "champion: none yet, `make repro` trains one")


def _devices() -> Finding:
    from darkroom.examples.runtime import start_tensorflow

    accelerators = start_tensorflow(2).config.list_physical_devices("GPU")
    names = ", ".join(device.name for device in accelerators)
    return Finding(True, f"accelerators: {names or 'none, training uses the CPU'}")


def _training_step() -> Finding:
    import numpy as np

    from darkroom.models.architecture import build_network

    params = load_params(workspace() / "params.yaml")
    network = build_network(params.model, params.image.size, 2)
    network.compile("adam", "sparse_categorical_crossentropy")
    pixels = np.zeros((4, params.image.size, params.image.size, 3), np.uint8)
    loss = float(network.train_on_batch(pixels, np.array([0, 1, 0, 1])))
    return Finding(np.isfinite(loss), f"training step: loss {loss:.3f}")
