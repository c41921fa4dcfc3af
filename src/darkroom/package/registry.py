"""The registered model: one version for each content; champion, challenger and previous are aliases."""

import base64
import getpass
import json
import shutil
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.package.bundle import PREDICTOR, copy_code
from darkroom.package.gate import Candidate, Verdict
from darkroom.tracking.store import tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CONTENT_TAG = "darkroom.content"
FACTS_TAG = "darkroom.facts"
REQUIREMENTS = ("keras", "mlflow", "numpy", "pandas", "pillow", "simplejpeg", "tensorflow")


def find_version(client: "MlflowClient", name: str, content: str) -> "ModelVersion | None":
    """Return the version with this content, if there is one."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{CONTENT_TAG}` = '{content}'")
    return found[0] if found else None


def get_champion(client: "MlflowClient", name: str) -> tuple["ModelVersion | None", Candidate | None]:
    """Return the version with the alias champion and what the gate knows of it; nothing when there is none."""
    from mlflow.exceptions import MlflowException

    try:
        version = client.get_model_version_by_alias(name, "champion")
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # no model, no alias
            raise
        return None, None
    facts = version.tags.get(FACTS_TAG)
    return version, Candidate(**json.loads(facts)) if facts else None


def register(client: "MlflowClient", name: str, run_id: str, bundle: Path, example: Path, candidate: Candidate) -> Any:
    """Log the bundle as a pyfunc model of the run and register it; return the version."""
    from mlflow.exceptions import MlflowException

    source = log_model(run_id, bundle, example)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {CONTENT_TAG: candidate.content, FACTS_TAG: json.dumps(asdict(candidate), sort_keys=True)}
    return client.create_model_version(name, source.model_uri, run_id, tags=tags, model_id=source.model_id)


def log_model(run_id: str, bundle: Path, example: Path) -> Any:
    """Log the pyfunc model with signature, input example, its own code and pinned requirements; return its info."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, DataType, Map, Schema

    outputs = [
        ColSpec(DataType.string, "label", required=False),
        ColSpec(DataType.double, "score", required=False),
        ColSpec(Map(DataType.double), "probabilities", required=False),
        ColSpec(DataType.string, "error", required=False),
    ]
    picture = base64.b64encode(example.read_bytes()).decode()
    mlflow.set_tracking_uri(tracking_uri())
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_id=run_id):
        return mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PREDICTOR),
            artifacts={"bundle": str(shutil.copytree(bundle, Path(folder, "bundle")))},
            code_paths=[str(copy_code(Path(folder)))],
            signature=ModelSignature(Schema([ColSpec(DataType.string, "image")]), Schema(outputs)),
            input_example={"image": [picture]},
            pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
        )


def apply_verdict(client: "MlflowClient", name: str, version: str, champion: Any, verdict: Verdict) -> None:
    """Set the aliases and write who, when and why on the version; the champion's own record stays as it is."""
    if champion is not None and str(champion.version) == version:  # MLflow gives numbers here and texts there
        return
    if not verdict.released:
        client.set_registered_model_alias(name, "challenger", version)
    else:
        if champion is not None:
            client.set_registered_model_alias(name, "previous", champion.version)
        client.set_registered_model_alias(name, "champion", version)
        if str(client.get_registered_model(name).aliases.get("challenger")) == version:
            client.delete_registered_model_alias(name, "challenger")
    tags = {
        "released": str(verdict.released).lower(),
        "reasons": "; ".join(verdict.reasons),
        "by": getpass.getuser(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for key, value in tags.items():
        client.set_model_version_tag(name, version, f"darkroom.gate.{key}", value)
