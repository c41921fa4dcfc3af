"""The model that predicts: the champion, a version of it, or a folder that `package` wrote."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError
from darkroom.core.paths import cache_folder, workspace
from darkroom.execution.quiet import without_collections, without_native_messages
from darkroom.execution.scratch import scratch_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from darkroom.package.answers import Answers

CHAMPION = "champion"
FACTS = "bundle.json"


@contextmanager
def open_bundle(model: str) -> Iterator[Path]:
    """Yield the bundle of `model`: "champion", a version number, or a folder with a bundle, or with bundle/ in it.

    Those in the store are fetched for the block, unless they lie in a folder. Raises UserError.
    """
    if model != CHAMPION and not model.isdecimal():
        yield _in_folder(Path(model))
        return
    with scratch_folder(cache_folder()) as scratch:
        yield _in_store(model, scratch)


def load_served(bundle: Path) -> "Answers":
    """Load the network and the answering code of a bundle; what libraries write to stderr is hidden.

    Raises UserError for a bundle of a state of the code that could not answer on decoded pictures.
    """
    with without_native_messages(), without_collections():
        answers: Answers = _load_code(bundle).load_answers(bundle)
    if not hasattr(answers, "answer_pixels"):
        raise UserError("this model was packaged by an older state of darkroom; run `make repro` to package it anew", 1)
    return answers


def _load_code(bundle: Path) -> Any:
    """Import the bundle's code and return its module of answers, as `package.predictor.load_code` does."""
    # a copy: importing the predictor imports MLflow, which takes seconds and which a model in a folder does not need
    (folder,) = (bundle / "code").iterdir()
    package = sys.modules.setdefault(folder.name, ModuleType(folder.name))
    package.__path__ = [str(folder)]
    return importlib.import_module(f"{folder.name}.package.answers")


def _in_folder(folder: Path) -> Path:
    for bundle in (folder, folder / "bundle"):
        if (bundle / FACTS).is_file():
            return bundle
    if folder.is_dir():
        raise UserError(f"--model {folder}: holds no model; `make repro` writes models/bundle")
    raise UserError(f"--model {folder}: no such folder; give champion, a version number or a folder such as models")


def _in_store(model: str, scratch: Path) -> Path:
    """Return the bundle of a registered version; raises UserError when there is none, or no store."""
    from darkroom.params.load import load_params
    from darkroom.tracking.store import connect, is_of_the_store, store_error, tracking_uri

    name = load_params(workspace() / "params.yaml").package.name
    try:
        version = _find_version(connect(), name, model).version
        from mlflow.artifacts import download_artifacts

        place, uri = f"models:/{name}/{version}", tracking_uri()  # all of it: MLflow then writes the number beside it
        fetched = download_artifacts(place, dst_path=str(scratch), tracking_uri=uri, registry_uri=uri)
    except Exception as error:
        if not (isinstance(error, OSError) or is_of_the_store(error)):
            raise
        raise store_error(error, f"fetching the model {name}") from None
    return _in_folder(Path(fetched, "artifacts"))


def _find_version(client: "MlflowClient", name: str, model: str) -> "ModelVersion":
    from darkroom.gate.versions import get_champion

    if model == CHAMPION:
        champion, _ = get_champion(client, name)
        if champion is None:
            raise UserError(f"{name} has no champion yet; run `make repro` first, or give --model a folder", 1)
        return champion
    versions = {str(found.version): found for found in client.search_model_versions(f"name = '{name}'")}
    if model not in versions:
        numbers = ", ".join(sorted(versions, key=int)) or "none"
        raise UserError(f"--model {model}: {name} has no such version; there are: {numbers}", 1)
    return versions[model]
