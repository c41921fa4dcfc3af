"""The registered model: one version for each content; champion, challenger and previous are aliases."""

import base64
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.core.files import digest, read_value
from darkroom.execution.quiet import without_native_messages
from darkroom.gate.verdict import Candidate
from darkroom.package.bundle import PREDICTOR
from darkroom.tracking.champion import FACTS_TAG
from darkroom.tracking.store import tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature
    from mlflow.models.model import ModelInfo

CONTENT_TAG = "darkroom.content"
CARD_TAG = "darkroom.card"  # the digest of the description that `describe_version` wrote
DESCRIPTION_LENGTH = 5000  # characters of a version's description in MLflow's tables


def find_version(client: "MlflowClient", name: str, content: str) -> "ModelVersion | None":
    """Return the version with this content, if there is one."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{CONTENT_TAG}` = '{content}'")
    return min(found, key=lambda version: int(version.version), default=None)


def register(
    client: "MlflowClient", name: str, run_id: str, bundle: Path, example: Path, candidate: Candidate
) -> "ModelVersion":
    """Log the bundle as a pyfunc model of the run and register it; return the version."""
    from mlflow.exceptions import MlflowException

    source = log_model(run_id, bundle, example)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {CONTENT_TAG: candidate.content, FACTS_TAG: candidate.to_json()}
    return client.create_model_version(name, source.model_uri, run_id, tags=tags, model_id=source.model_id)


def log_model(run_id: str, bundle: Path, example: Path) -> "ModelInfo":
    """Log the pyfunc model with signature, input example and pinned requirements; return its info.

    Its code is the predictor, and what the predictor loads is in the bundle.
    """
    import mlflow

    picture = base64.b64encode(example.read_bytes()).decode()
    mlflow.set_tracking_uri(tracking_uri())
    # MLflow tries the model on the example, and TensorFlow writes to stderr when it is imported
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_id=run_id), without_native_messages():
        return mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PREDICTOR),
            # the artefact has the name of the folder, which is a temporary one while the stage runs
            artifacts={"bundle": str(shutil.copytree(bundle, Path(folder, "bundle")))},
            signature=_signature(),
            input_example={"image": [picture]},
            pip_requirements=read_value(bundle / "bundle.json")["requirements"],
        )


def _signature() -> "ModelSignature":
    """Return the params of a request and the columns of its answers."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, Map, ParamSchema, ParamSpec, Schema

    # no schema of the inputs: none of MLflow's lets base64, bytes and arrays through, and all quote what they refuse
    params = [
        ParamSpec("top", DataType.long, None),
        ParamSpec("threshold", DataType.double, 0.0),
        ParamSpec("coverage", DataType.double, None),
        ParamSpec("explain", DataType.boolean, False),
    ]
    outputs = [
        ColSpec(DataType.string, "label", required=False),
        ColSpec(DataType.double, "score", required=False),
        ColSpec(Map(DataType.double), "probabilities", required=False),
        ColSpec(Array(DataType.string), "set", required=False),
        ColSpec(DataType.boolean, "abstains", required=False),
        ColSpec(DataType.double, "ood_score", required=False),
        ColSpec(DataType.boolean, "unfamiliar", required=False),
        ColSpec(DataType.string, "version", required=False),
        ColSpec(DataType.string, "error", required=False),
        ColSpec(DataType.string, "heat_map", required=False),
    ]
    return ModelSignature(None, Schema(outputs), ParamSchema(params))


def describe_version(client: "MlflowClient", name: str, version: str, card: str) -> None:
    """Make the model card the description of a version, unless somebody has written one."""
    found, text = client.get_model_version(name, version), card[:DESCRIPTION_LENGTH]
    if not found.description or digest(found.description) == found.tags.get(CARD_TAG):
        client.update_model_version(name, version, text)
        client.set_model_version_tag(name, version, CARD_TAG, digest(text))
