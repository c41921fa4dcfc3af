"""What is written to MLflow, in a real store: the runs of stages, and the run of a pipeline above them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from darkroom.package.pipeline_run import find_or_create_pipeline_run
from darkroom.package.row import Results
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import PARENT_TAG, StageResult, report_metrics
from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import connect, experiment_id
from darkroom.tracking.view import VIEW_TAG, address
from pictures import inside

PARAMS = {"ingest.source": "pets", "model.architecture": "conv", "ensemble.architectures": [], "train.epochs": 3}
REPORTS: dict[str, dict[str, Any]] = {
    "ingest": {"classes": 2, "pictures": 9},
    "split": {"train": 5, "validation": 2, "test": 2, "digest": "0123456789abcdef"},
    "tune": {"best": {"train": {"patience": 5}}, "enabled": True},
    "evaluate": {
        "test": {"accuracy": 0.5, "log_loss": 1.5, "interval": {"accuracy": [0.1, 0.9]}},
        "validation": {"accuracy": 0.75, "roc_auc": None},
        "train": {"accuracy": 1.0},
        "calibration": {"error": 0.25, "band": [0, 0.1]},
        "robustness": None,
    },
}
HISTORY = pd.DataFrame(
    {
        "network": [1, 1, 2],
        "epoch": [1, 2, 1],
        "loss": [3.0, 2.0, 1.0],
        "accuracy": [0.2, 0.4, 0.6],
        "validation_loss": [3.0, np.nan, 1.0],
        "validation_accuracy": [0.2, 0.4, 0.6],
    }
)
ANSWERS = pd.DataFrame(
    {
        "image_id": ["i1", "i2", "i3", "i4"],
        "split": ["test", "test", "test", "validation"],
        "label": ["cat", "cat", "dog", "cat"],
        "predicted": ["cat", "dog", "cat", "dog"],
        "probabilities": list(np.array([[0.9, 0.1], [0.25, 0.75], [1, 0], [0, 1]], np.float32)),
    }
)


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory, new_store: Path) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("runs")
    shutil.copy(new_store, root)
    (root / "dvc.yaml").touch()
    with inside(root):
        yield root


def test_a_run_has_all_that_was_logged() -> None:
    client = connect()
    run_id = client.create_run(experiment_id(client, "logger")).info.run_id
    logger = RunLogger(client, run_id)
    logger.log_params({f"key{number}": number for number in range(101)} | {"ingest.labels.katze?": "cat"})
    for step in (1, 2):
        logger.log_metrics({"loss": 1 / step}, step)
    logger.log_dataset("pets", "0123456789abcdef", {"train": 5}, "training")
    logger.log_image(Image.new("RGB", (4, 4)), "augmented.png")
    run = client.get_run(run_id)
    assert len(run.data.params) == 102 and run.data.params["ingest.labels.katze_"] == "cat"
    assert [metric.value for metric in client.get_metric_history(run_id, "loss")] == [1, 0.5]
    [entry] = run.inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("pets", "01234567")
    assert [file.path for file in client.list_artifacts(run_id)] == ["augmented.png"]


def test_the_numbers_of_a_report_are_those_with_names_of_our_own() -> None:
    report: dict[str, Any] = {
        "kept": 3,
        "calibration": {"error": 0.1, "band": [0, 1]},
        "loss": float("nan"),
        "test": {"accuracy": 0.5, "per_class": {"cat": 1}},
        "reasons": {"dark": 2},
    }
    assert report_metrics(report, "evaluate/") == {
        "evaluate/kept": 3,
        "evaluate/test/accuracy": 0.5,
        "evaluate/calibration/error": 0.1,
    }


@pytest.fixture(scope="module")
def results(workspace: Path) -> Results:
    stages = [StageResult(stage, {f"{stage}.seed": 0}, report) for stage, report in REPORTS.items()]
    ANSWERS.to_parquet(workspace / "answers.parquet")
    tables = {"per_class": pd.DataFrame({"class": ["cat", "dog"], "f1": [0.5, 0.0]}), "label_issues": pd.DataFrame()}
    page = workspace / "evaluation.html"
    page.write_text("<p>all that was found out</p>")
    return Results(stages, HISTORY, workspace / "answers.parquet", [page], tables)


def test_a_pipeline_run_adopts_the_stages_runs_and_is_found_again(results: Results) -> None:
    stage = StageRun("split", "pipeline")
    with stage.recording(results.stages[1].params):
        stage.finish(results.reports["split"], [])
    client = connect()
    run = find_or_create_pipeline_run(client, "pipeline", PARAMS, results)
    client.set_terminated(run.info.run_id)
    assert run.data.params["train.epochs"] == "3"
    children = client.search_runs([run.info.experiment_id], f"tags.`{PARENT_TAG}` = '{run.info.run_id}'")
    names = {child.info.run_name: child.data.metrics for child in children}
    assert names.keys() == {"split", "ingest (cached)", "tune (cached)", "evaluate (cached)"}
    assert names["split"]["train"] == 5 and names["evaluate (cached)"]["test/accuracy"] == 0.5
    again = find_or_create_pipeline_run(client, "pipeline", PARAMS, results)
    assert again.info.run_id == run.info.run_id


def test_a_pipeline_run_has_headlines_curves_and_tables(results: Results) -> None:
    client = connect()
    run_id = find_or_create_pipeline_run(client, "row", PARAMS, results).info.run_id
    find_or_create_pipeline_run(client, "row", PARAMS, results)  # goes on with one that was not finished
    metrics = client.get_run(run_id).data.metrics
    assert {name: value for name, value in metrics.items() if "/" not in name} == {
        "test_accuracy": 0.5,
        "test_log_loss": 1.5,
        "validation_accuracy": 0.75,
        "train_accuracy": 1,
        "calibration_error": 0.25,
    }
    curve = {point.step: point.value for point in client.get_metric_history(run_id, "epoch/loss")}
    assert curve == {1: 2, 2: 2}  # the mean of two networks, then what is left
    assert [point.value for point in client.get_metric_history(run_id, "epoch/validation_loss")][:1] == [2]
    files = {file.path for file in client.list_artifacts(run_id)}
    assert files == {"answers.parquet", "errors.json", "evaluation.html", "per_class.json"}
    errors = pd.read_json(client.download_artifacts(run_id, "errors.json"), orient="split")
    assert errors["image_id"].tolist() == ["i3", "i2"] and errors["score"].tolist() == [1, 0.75]


def test_the_table_of_results_is_shared_once_and_has_an_address(results: Results) -> None:
    client = connect()
    find_or_create_pipeline_run(client, "view", PARAMS, results)
    experiment = client.get_experiment_by_name("view")
    state = json.loads(experiment.tags[VIEW_TAG])
    assert state["orderByKey"] == "metrics.`test_accuracy`" and state["orderByKey"] in state["selectedColumns"]
    rows = client.search_runs([experiment.experiment_id], state["searchFilter"])
    assert len(rows) == 1  # not those of the stages
    page = f"http://host/#/experiments/{experiment.experiment_id}/runs"
    assert address("http://host", "view") == f"{page}?workflowType=machine_learning&viewStateShareKey=results"
    assert address("http://host", "no such experiment") == "http://host"
