"""The champion among the registered versions, and what it has answered."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.paths import ARTEFACTS
from darkroom.tracking.store import consult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

FACTS_TAG = "darkroom.facts"  # of a version: what the gate knows of it, as JSON
ANSWERS = Path(ARTEFACTS["answers"]).name  # an artefact of the pipeline's run


@dataclass(frozen=True)
class Champion:
    """A version: its number, the run that made it, its address for `mlflow.pyfunc.load_model`, its classes.

    `classes` is empty for a model from elsewhere.
    """

    version: str
    run_id: str
    uri: str
    classes: tuple[str, ...]


class ChampionUnknown(Exception):
    """The store failed, so nobody can say which version is the champion; `consult` has logged why."""


def champion_version(client: "MlflowClient", name: str) -> "ModelVersion | None":
    """Return the version of the model `name` with the alias champion; None when there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, "champion")
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # no model, no alias
            raise
        return None


def find_champion(name: str) -> Champion | None:
    """Return the champion among the versions of the model `name`, None when there is none.

    Raises ChampionUnknown when the store fails.
    """

    def find(client: "MlflowClient") -> tuple[Champion | None]:  # a tuple, for None means that the store failed
        version = champion_version(client, name)
        return (None if version is None else champion_of(version, name),)

    found = consult(find, "looking for the champion", None)
    if found is None:
        raise ChampionUnknown
    return found[0]


def champion_of(version: "ModelVersion", name: str) -> Champion:
    """Return what is needed to ask a version of the model `name`."""
    classes = json.loads(version.tags.get(FACTS_TAG, "{}")).get("classes", [])
    number = str(version.version)
    return Champion(number, version.run_id or "", f"models:/{name}/{number}", tuple(classes))


def answers_of(run_id: str) -> pd.DataFrame | None:
    """Return the table of answers (`ANSWERS`) of a pipeline's run; None when it has none or the store fails.

    A version that no run has made has an empty `run_id`.
    """

    def read(client: "MlflowClient") -> pd.DataFrame | None:
        if ANSWERS not in (file.path for file in client.list_artifacts(run_id)):
            return None
        with tempfile.TemporaryDirectory() as folder:
            return pd.read_parquet(client.download_artifacts(run_id, ANSWERS, folder))

    return consult(read, "reading the answers of a run", None) if run_id else None


def recorded_answers(
    table: pd.DataFrame | None, split: str, image_ids: np.ndarray, labels: np.ndarray
) -> pd.DataFrame | None:
    """Return a model's answers on a split, from its table, in the order of `image_ids` (n,) str.

    None when it was measured on other pictures, or when their `labels` (n,) str were others.
    """
    if table is None or not {"image_id", "split", "label", "predicted", "probabilities"} <= set(table.columns):
        return None
    answers = table[table["split"] == split].set_index("image_id")
    if len(answers) != len(image_ids) or not answers.index.isin(image_ids).all():
        return None
    ordered = answers.loc[image_ids]
    return ordered if (ordered["label"].to_numpy() == labels).all() else None
