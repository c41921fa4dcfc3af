"""The runs of whole pipelines in the MLflow store, each as a row of facts, metrics and parameters."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.execution.quiet import without_collections
from darkroom.gate.versions import aliases_of, number_of
from darkroom.tracking.headlines import HEADLINES
from darkroom.tracking.results import PIPELINE_TAG
from darkroom.tracking.store import all_pages

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FACTS = ("name", "started", "version", "alias", "status", "commit", "id")
LAST = ("commit", "id")  # of FACTS, behind all other columns
MODEL = "package.name"  # the parameter that names the registered model
SEARCH = "tune."  # how it was searched, which does not describe the model
REMEDY = "`make repro` makes one"


@dataclass(frozen=True)
class DataSet:
    """What a pipeline learnt from: its source, the first digits of the digest of pictures and splits, the counts.

    `counts` has train, validation, test and classes. All are empty where they were not recorded.
    """

    source: str = ""
    digest: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One pipeline: `FACTS` as texts, empty where there is none, the headline metrics, all parameters, the data.

    `started` is in UTC; several aliases of a version stand in one text.
    """

    facts: Mapping[str, str]
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    data: DataSet = field(default_factory=DataSet)

    @property
    def values(self) -> dict[str, str | float]:
        """Return all that a row may be sorted and chosen by."""
        return {**self.facts, **self.metrics, **self.params}


def read_rows(client: "MlflowClient") -> list[Row]:
    """Return the rows of all experiments in the store, the newest first; raises UserError when there is none.

    Runs and experiments that were deleted are left out.
    """
    experiments = [found.experiment_id for found in all_pages(client.search_experiments)]
    query = f"tags.`{PIPELINE_TAG}` LIKE '%'"
    search = partial(client.search_runs, experiments, query, order_by=["attributes.start_time DESC"])
    with without_collections():  # of a thousand runs MLflow makes 160,000 objects
        runs = list(all_pages(search)) if experiments else []
    if not runs:
        raise UserError(f"the store has no run of a whole pipeline yet; {REMEDY}", status=1)
    versions = _registered(client, {run.data.params.get(MODEL, "") for run in runs} - {""})
    return [_row(run, *versions.get(run.info.run_id, ("", ""))) for run in runs]


def _registered(client: "MlflowClient", models: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return {run_id: (number, aliases)} of the versions of some models."""
    found = {}
    for model in sorted(models):
        aliases = aliases_of(client, model)
        for version in all_pages(partial(client.search_model_versions, f"name = '{model}'")):
            number = number_of(version)
            found[version.run_id] = number, " ".join(name for name, of in sorted(aliases.items()) if of == number)
    return found


def _row(run: "Run", version: str, alias: str) -> Row:
    facts = {
        "name": run.info.run_name or "",
        "started": f"{datetime.fromtimestamp(run.info.start_time / 1000, UTC):%Y-%m-%d %H:%M:%S}",
        "commit": run.data.tags.get("mlflow.source.git.commit", ""),
        "version": version,
        "alias": alias,
        "status": run.info.status.lower(),
        "id": run.info.run_id,
    }
    metrics = {name: run.data.metrics[name] for name in HEADLINES if name in run.data.metrics}
    return Row(facts, metrics, run.data.params, _data_of(run))


def _data_of(run: "Run") -> DataSet:
    """Return the data set that the run has as its input."""
    inputs = run.inputs.dataset_inputs if run.inputs else []
    if not inputs:
        return DataSet()
    found = inputs[0].dataset
    return DataSet(found.name, found.digest, json.loads(found.profile or "{}"))


def columns_of(rows: Sequence[Row], asked: Collection[str] = ()) -> list[str]:
    """Return the keys of `Row.values` that a table of `rows` shows: facts, metrics, the parameters that differ.

    Those of the search are shown where no other one differs, and those that were `asked` about. A fact or a metric that
    no row has is left out, and so is the status when all are finished.
    """
    finished = {row.facts["status"] for row in rows} <= {"finished"}
    facts = [key for key in FACTS if any(row.facts[key] for row in rows) and not (key == "status" and finished)]
    metrics = [name for name in HEADLINES if any(name in row.metrics for row in rows)]
    front = [key for key in facts if key not in LAST]
    return [*front, *metrics, *_describing(differing_params(rows), asked), *(key for key in LAST if key in facts)]


def _describing(params: Sequence[str], asked: Collection[str]) -> list[str]:
    of_models = [key for key in params if not key.startswith(SEARCH) or key in asked]
    return of_models or list(params)


def differing_params(rows: Sequence[Row]) -> list[str]:
    """Return the parameters that not all of `rows` have with the same value.

    Those that every row has come first, and of these the ones with most different values; those of the search last.
    """
    found = []
    for key in sorted({key for row in rows for key in row.params}):
        values = [row.params.get(key) for row in rows]
        if len(distinct := set(values)) > 1:
            found.append((key.startswith(SEARCH), None in distinct, -len(distinct), key))
    return [key for *_, key in sorted(found)]
