"""`darkroom doctor`: is everything there, and does it work?"""

import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from darkroom.core.errors import first_line
from darkroom.core.paths import project_root, workspace
from darkroom.params.load import load_params
from darkroom.tracking.relocate import find_moved, mend_moved
from darkroom.tracking.store import redacted

PACKAGES = (
    "dvc",
    "mlflow",
    "tensorflow",
    "keras",
    "optuna",
    "pandas",
    "scikit-learn",
    "pillow",
    "great-expectations",
)


class Finding(NamedTuple):
    """One line of the examination."""

    good: bool
    text: str


def examine(fix: bool) -> int:
    """Print a line for each check; return 0 when all is well and 1 when something is to be mended."""
    checks: list[Callable[[], Finding]] = [
        _python,
        _packages,
        _params,
        lambda: _moved_artefacts(fix),
        _store,
        _champion,
        _devices,
        _training_step,
    ]
    good = True
    for check in checks:
        try:
            finding = check()
        except Exception as error:  # whatever a check can fail with is what the doctor is asked to find
            finding = Finding(False, f"{type(error).__name__}: {redacted(first_line(error))}")
        good &= finding.good
        print(f"{'ok   ' if finding.good else 'MEND '} {finding.text}", flush=True)
    return 0 if good else 1


def _python() -> Finding:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 12)
    from joblib import cpu_count

    return Finding(supported, f"Python {platform.python_version()} (3.11 or 3.12), {cpu_count()} cores")


def _packages() -> Finding:
    """Compare what is installed with requirements.txt."""
    locked = dict(
        line.split(" ")[0].split("==")
        for line in (workspace() / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith(PACKAGES) and "==" in line
    )
    wrong = [
        f"{name} {_installed(name)} instead of {locked[name]}" for name in PACKAGES if _installed(name) != locked[name]
    ]
    if wrong:
        return Finding(False, f"packages: {', '.join(wrong)}: `make env`")
    return Finding(True, "packages: " + ", ".join(f"{name} {locked[name]}" for name in PACKAGES))


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _params() -> Finding:
    load_params(workspace() / "params.yaml")
    return Finding(True, "params.yaml: every key known, every value possible")


def _moved_artefacts(fix: bool) -> Finding:
    store = project_root() / "mlflow.db"
    if not store.exists():
        return Finding(True, "MLflow store: none yet, the first stage makes it")
    moved = find_moved(store, project_root())
    if not moved:
        return Finding(True, "MLflow artefacts: where the store says")
    if not fix:
        return Finding(
            False,
            f"MLflow artefacts: {moved} places name another folder (a moved repository?): `darkroom doctor --fix`",
        )
    mend_moved(store, project_root())
    return Finding(True, f"MLflow artefacts: mended, {moved} places name this folder now")


def _store() -> Finding:
    from darkroom.tracking.store import connect, tracking_uri

    connect()
    return Finding(True, f"MLflow store: {redacted(tracking_uri())} answers")


def _champion() -> Finding:
    from darkroom.package.registry import get_champion
    from darkroom.tracking.store import connect

    name = load_params(workspace() / "params.yaml").package.name
    found, _ = get_champion(connect(), name)
    if found:
        return Finding(True, f"champion: {name} version {found.version}")
    if (workspace() / "reports" / "package.json").exists():
        return Finding(False, f"champion: {name} has none in this store: `dvc repro --single-item --force package`")
    return Finding(True, "champion: none yet, `make repro` makes it")


def _devices() -> Finding:
    from darkroom.examples.runtime import start_tensorflow

    accelerators = start_tensorflow(2).config.list_physical_devices("GPU")
    names = ", ".join(device.name for device in accelerators)
    return Finding(True, f"accelerator: {names or 'none, the processor trains'}")


def _training_step() -> Finding:
    import numpy as np

    from darkroom.models.architecture import build_network

    params = load_params(workspace() / "params.yaml")
    network = build_network(params.model, params.image.size, 2)
    network.compile("adam", "sparse_categorical_crossentropy")
    pixels = np.zeros((4, params.image.size, params.image.size, 3), np.uint8)
    loss = float(network.train_on_batch(pixels, np.array([0, 1, 0, 1])))
    return Finding(np.isfinite(loss), f"training step: loss {loss:.3f}")
