"""The MLflow run of a whole pipeline: its parameters, the metrics of all stages, and the stages' runs below it."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.files import canonical_json, digest
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import (
    KEY_TAG,
    PARENT_TAG,
    STAGE_TAG,
    Report,
    StageResult,
    find_runs,
    report_metrics,
    stage_key,
)
from darkroom.tracking.store import experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PIPELINE_TAG = "darkroom.pipeline"
VERDICT_TAG = "darkroom.verdict"


def find_or_create_pipeline_run(
    client: "MlflowClient", experiment_name: str, params: dict[str, Any], results: list[StageResult]
) -> "Run":
    """Return the pipeline run of these parameters and results: the earlier one if there is one, else a new one.

    One that was begun and not finished (the process was killed) is completed.
    """
    experiment = experiment_id(client, experiment_name)
    key = digest([params, [result.report for result in results]])
    found = client.search_runs([experiment], f"tags.`{PIPELINE_TAG}` = '{key}'", order_by=["attributes.start_time"])
    if found and found[0].info.status == "FINISHED":
        return found[0]
    children = [_own_run(client, experiment, result) for result in results]
    if found:
        _delete_unfinished_children(client, experiment, found[0].info.run_id)
    parent = found[0] if found else _create_pipeline_run(client, experiment, key, children, params)
    _record_pipeline(client, parent.info.run_id, params, results)
    for result, child in zip(results, children, strict=True):
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
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    known = {"mlflow.source.git.commit": commit, "mlflow.source.name": "dvc.yaml"}
    known |= {f"dvc.{name}": os.environ.get(f"DVC_{name.upper()}", "") for name in ("exp_name", "exp_baseline_rev")}
    return {name: value for name, value in known.items() if value}


def _record_pipeline(client: "MlflowClient", run_id: str, params: dict[str, Any], results: list[StageResult]) -> None:
    """Record the parameters that made the model, with what tune found in place of what it was given."""
    reports = {result.stage: result.report for result in results}
    found = {
        f"{section}.{key}": value
        for section, values in reports["tune"]["best"].items()
        for key, value in values.items()
    }
    log = RunLogger(client, run_id)
    log.log_params(params | found)
    for result in results:
        log.log_metrics(report_metrics(result.report, f"{result.stage}/"))
    content, counts = dataset_of(reports)
    log.log_dataset(params["ingest.source"], content, counts, "pipeline")


def dataset_of(reports: dict[str, Report]) -> tuple[str, dict[str, int]]:
    """Return the digest of the pictures and their splits, and the counts of the data set."""
    split = reports["split"]
    counts = {name: split[name] for name in ("train", "validation", "test")}
    return split["digest"], {**counts, "classes": reports["ingest"]["classes"]}


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
