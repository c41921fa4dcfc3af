"""What is written to MLflow, in a real store: the runs of stages, and the run of a pipeline above them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.package.pipeline_run import find_or_create_pipeline_run
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import PARENT_TAG, StageResult, report_metrics
from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import connect, experiment_id
from pictures import inside

PARAMS = {"ingest.source": "pets", "model.architecture": "conv", "ensemble.architectures": [], "train.epochs": 3}
REPORTS: dict[str, dict[str, Any]] = {
    "ingest": {"classes": 2, "pictures": 9},
    "split": {"train": 5, "validation": 2, "test": 2, "digest": "0123456789abcdef"},
    "tune": {"best": {"train": {"epochs": 5}}, "enabled": True},
}


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("runs")
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
    report = {
        "kept": 3,
        "loss": float("nan"),
        "test": {"accuracy": 0.5, "per_class": {"cat": 1}},
        "reasons": {"dark": 2},
    }
    assert report_metrics(report, "evaluate/") == {"evaluate/kept": 3, "evaluate/test/accuracy": 0.5}


def test_a_pipeline_run_adopts_the_stages_runs_and_is_found_again() -> None:
    results = [StageResult(stage, {f"{stage}.seed": 0}, report) for stage, report in REPORTS.items()]
    stage = StageRun("split", "pipeline")
    with stage.recording(results[1].params):
        stage.finish(results[1].report, [])
    client = connect()
    run = find_or_create_pipeline_run(client, "pipeline", PARAMS, results)
    client.set_terminated(run.info.run_id)
    assert run.data.params["train.epochs"] == "5"  # what tune found
    assert run.data.metrics["split/train"] == 5 and run.data.metrics["ingest/pictures"] == 9
    children = client.search_runs([run.info.experiment_id], f"tags.`{PARENT_TAG}` = '{run.info.run_id}'")
    assert {child.info.run_name for child in children} == {"split", "ingest (cached)", "tune (cached)"}
    again = find_or_create_pipeline_run(client, "pipeline", PARAMS, results)
    assert again.info.run_id == run.info.run_id
