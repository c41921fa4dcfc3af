"""The MLflow run of a whole pipeline: what it came from, and the stages' runs below it."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.files import canonical_json, digest
from darkroom.gate.versions import git_commit
from darkroom.package.row import Results, record_row
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import (
    KEY_TAG,
    PARENT_TAG,
    PIPELINE_TAG,
    STAGE_TAG,
    StageResult,
    find_runs,
    report_metrics,
    stage_key,
)
from darkroom.tracking.store import experiment_id
from darkroom.tracking.view import share_view

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

VERDICT_TAG = "darkroom.verdict"


def find_or_create_pipeline_run(
    client: "MlflowClient", experiment_name: str, params: dict[str, Any], results: Results
) -> "Run":
    """Return the pipeline run of these parameters and results: the earlier one if there is one, else a new one.

    One that was begun and not finished (the process was killed) is completed.
    """
    experiment = experiment_id(client, experiment_name)
    share_view(client, experiment)
    key = digest([params, [result.lasting for result in results.stages]])
    found = client.search_runs([experiment], f"tags.`{PIPELINE_TAG}` = '{key}'", order_by=["attributes.start_time"])
    if found and found[0].info.status == "FINISHED":
        return found[0]
    children = [_own_run(client, experiment, result) for result in results.stages]
    if found:
        _delete_unfinished_children(client, experiment, found[0].info.run_id)
    parent = found[0] if found else _create_pipeline_run(client, experiment, key, children, params)
    record_row(RunLogger(client, parent.info.run_id), params, results)
    for result, child in zip(results.stages, children, strict=True):
        _attach_to_parent(client, experiment, parent.info.run_id, result, child)
    return client.get_run(parent.info.run_id)


def _create_pipeline_run(
    client: "MlflowClient", experiment: str, key: str, children: list["Run | None"], params: dict[str, Any]
) -> "Run":
    """Create a pipeline run that starts when its first stage did."""
    tags = {PIPELINE_TAG: key, **_provenance()}
    network = "+".join(params["ensemble.architectures"]) or params["model.architecture"]
    name = os.environ.get("DVC_EXP_NAME") or f"{params['ingest.source']}-{network}-{key[:7]}"
    starts = [child.info.start_time for child in children if child]
    return client.create_run(experiment, start_time=min(starts, default=None), tags=tags, run_name=name)


def _delete_unfinished_children(client: "MlflowClient", experiment: str, parent: str) -> None:
    """Delete the copies that a killed process had begun; they are made anew."""
    query = f"tags.`{PARENT_TAG}` = '{parent}' and attributes.status = 'RUNNING'"
    for run in client.search_runs([experiment], query):
        client.delete_run(run.info.run_id)


def _provenance() -> dict[str, str]:
    """Return the tags that say which code and which DVC experiment a pipeline run comes from."""
    known = {"mlflow.source.git.commit": git_commit(), "mlflow.source.name": "dvc.yaml"}
    known |= {f"dvc.{name}": os.environ.get(f"DVC_{name.upper()}", "") for name in ("exp_name", "exp_baseline_rev")}
    return {name: value for name, value in known.items() if value}


def _own_run(client: "MlflowClient", experiment: str, result: StageResult) -> "Run | None":
    """Return the run that the stage itself recorded, unless it belongs to another pipeline run."""
    runs = find_runs(client, experiment, stage_key(result))
    return next((run for run in runs if PARENT_TAG not in run.data.tags), None)


def _attach_to_parent(
    client: "MlflowClient", experiment: str, parent: str, result: StageResult, child: "Run | None"
) -> None:
    """Put the stage's run below the pipeline run; a cached stage, whose run has another parent, gets a copy."""
    if child:
        client.set_tag(child.info.run_id, PARENT_TAG, parent)
        return
    key = stage_key(result)
    runs = find_runs(client, experiment, key)
    if any(run.data.tags.get(PARENT_TAG) == parent for run in runs):
        return
    tags = {STAGE_TAG: result.stage, KEY_TAG: key, PARENT_TAG: parent, "darkroom.cached": "true"}
    if runs:
        tags["darkroom.first_run"] = runs[0].data.tags.get("darkroom.first_run", runs[0].info.run_id)
    copy = client.create_run(experiment, tags=tags, run_name=f"{result.stage} (cached)").info.run_id
    log = RunLogger(client, copy)
    log.log_params(result.params)
    log.log_metrics(report_metrics(result.report))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, f"{result.stage}.json")
        report.write_text(canonical_json(result.report, indent=2) + "\n", encoding="utf-8")
        client.log_artifact(copy, str(report))
    client.set_terminated(copy)
