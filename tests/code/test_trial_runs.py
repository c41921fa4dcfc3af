"""The runs of trials below that of their search, in a real store."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient

from darkroom.search_page.recording import Recording
from darkroom.tracking.results import PARENT_TAG
from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import experiment_id
from darkroom.tune.choice import Found
from studies import found_of

if TYPE_CHECKING:
    from mlflow.entities import Run


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("darkroom.search_page.recording.draw_plots", lambda folder, _: folder.mkdir())


def children(client: MlflowClient, run: StageRun) -> "dict[str, Run]":
    found = client.search_runs([experiment_id(client, run.experiment)], f"tags.`{PARENT_TAG}` = '{run.run_id}'")
    return {child.info.run_name: child for child in found}


def record(run: StageRun, found: Found, first: int = 0) -> None:
    """Record a search whose trials before `first` an earlier process has run."""
    with run.recording({"tune.seed": 0}):
        recording = Recording(run)
        for trial in found.trials[first:]:
            recording.add(trial)
        recording.finish(found)


def test_each_trial_is_a_run_below_its_search_resumed_or_not(client: MlflowClient) -> None:
    found, run = found_of(13, finalists=1, fresh_seeds=1), StageRun("tune", "search")
    record(run, found, first=11)
    runs = children(client, run)
    [fresh] = found.fresh_runs
    assert runs.keys() == {*(f"trial {number}" for number in range(13)), f"trial {fresh.number}, seed {fresh.seed}"}
    refused, failed, chosen = runs["trial 11"], runs["trial 12"], runs[f"trial {found.choice.number}"]
    assert refused.info.status == failed.info.status == "FAILED"
    assert refused.data.tags["state"] == "refused" and "pool_size" in refused.data.tags["reason"]
    assert chosen.info.status == "FINISHED" and chosen.data.tags["role"] == "chosen"
    assert chosen.info.end_time - chosen.info.start_time == 1000 * found.trials[found.choice.number].seconds
    assert chosen.data.params["train.optimizer"] == found.choice.overlay["train"]["optimizer"]
    assert chosen.data.metrics["accuracy"] == pytest.approx(found.choice.search_score)
    curve = client.get_metric_history(chosen.info.run_id, "epoch/validation_log_loss")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5, 6]
    points = client.get_metric_history(failed.info.run_id, "epoch/validation_log_loss")
    assert [point.value > 0 for point in points] == [True, False] and math.isnan(points[1].value)
    complete = [trial.number for trial in found.trials if trial.state == "complete"]
    assert sorted(point.step for point in client.get_metric_history(run.run_id, "accuracy")) == complete


def test_a_search_that_an_equal_one_stands_for_leaves_no_trials_behind(client: MlflowClient) -> None:
    found = found_of(2, finalists=0, pruner="none")
    first, second = StageRun("tune", "equal"), StageRun("tune", "equal")
    for run in (first, second):
        record(run, found)
        run.finish({"trials": 2}, [])
    assert len(children(client, first)) == 2 and not children(client, second)


@pytest.mark.usefixtures("uri")
def test_a_store_that_fails_is_named_once_and_stops_no_search(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = StageRun("tune", "fails")
    with run.recording({}):
        monkeypatch.setattr("mlflow.MlflowClient.log_batch", lambda *_: 1 / 0)
        Recording(run).finish(found_of(3, pruner="none"))
    assert [record.message for record in caplog.records] == ["not recorded in MLflow: division by zero"]
