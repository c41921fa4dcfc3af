"""Runs below a stage's own run: one for each training of a search."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from darkroom.tracking.abandoned import PROCESS_TAG, this_process
from darkroom.tracking.headlines import CURVE_PREFIX
from darkroom.tracking.logger import METRICS_AT_ONCE, PARAMS_AT_ONCE, TAG_LENGTH, RunLogger, allowed_name, chunks
from darkroom.tracking.results import PARENT_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

Status = Literal["FINISHED", "KILLED", "FAILED"]


@dataclass(frozen=True)
class TrialRun:
    """A training that ended: what its run shows. `curve` has a row of metrics for each epoch."""

    name: str
    status: Status
    seconds: float
    params: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: Sequence[Mapping[str, float]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def record_trial_run(parent: RunLogger, trial: TrialRun) -> str:
    """Write a run below `parent`, in three requests for a training of usual length; return its id.

    It is empty when the store failed. The run ends now and has begun `seconds` ago.
    """
    run_id = ""
    with parent.guard():
        from mlflow.entities import Param

        client, now = parent.client, int(time.time() * 1000)
        tags = {name: value[:TAG_LENGTH] for name, value in trial.tags.items() if value}
        tags |= {PARENT_TAG: parent.run_id, PROCESS_TAG: this_process()}
        experiment, start = parent.experiment_id, now - int(1000 * trial.seconds)
        run_id = str(client.create_run(experiment, start, tags, trial.name).info.run_id)
        params = [Param(allowed_name(name), str(value)[:6000]) for name, value in sorted(trial.params.items())]
        metrics = chunks(_metrics(trial, now), METRICS_AT_ONCE - PARAMS_AT_ONCE)
        for number, some in enumerate(metrics or [[]]):
            client.log_batch(run_id, some, params[:PARAMS_AT_ONCE] if number == 0 else ())
        client.set_terminated(run_id, trial.status, now)
    return run_id


def _metrics(trial: TrialRun, now: int) -> "list[Metric]":
    from mlflow.entities import Metric

    found = [Metric(name, float(value), now, 0) for name, value in sorted(trial.metrics.items())]
    for number, row in enumerate(trial.curve, start=1):
        found += [Metric(CURVE_PREFIX + name, float(value), now, number) for name, value in sorted(row.items())]
    return found


def delete_with_children(client: "MlflowClient", experiment: str, run_id: str) -> None:
    """Delete a run and those below it, which would stand alone in MLflow's pages."""
    query = f"tags.`{PARENT_TAG}` = '{run_id}'"
    while children := client.search_runs([experiment], query, max_results=1000):  # a deleted one is not found again
        for run in children:
            client.delete_run(run.info.run_id)
    client.delete_run(run_id)
