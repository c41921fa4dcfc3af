"""`dvc repro` on a folder of pictures: what it leaves, and what MLflow and DVC show."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.tracking.headlines import HEADLINES, headline_metrics
from project import SMALL_RUN, Project

STAGES = ["ingest", "validate", "dedupe", "split", "tune", "train", "evaluate", "package"]


def report(project: Project, stage: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((project.root / "reports" / f"{stage}.json").read_text())
    return read


def test_reports_tell_what_happened(project: Project) -> None:
    ingest, dedupe = report(project, "ingest"), report(project, "dedupe")
    assert (ingest["pictures"], ingest["unreadable"], ingest["classes"]) == (75, 1, 3)
    found = (dedupe["exact_duplicates"], dedupe["near_duplicates"], dedupe["conflicts"], dedupe["kept"])
    assert found == (1, 1, 1, 71)
    split = report(project, "split")
    assert split["train"] + split["validation"] + split["test"] == 71
    assert split["straddling_groups"] == 0
    assert report(project, "validate")["success"] is True
    assert report(project, "tune")["trials"] == SMALL_RUN["tune.trials"]
    assert report(project, "evaluate")["test"]["accuracy"] > 0.6  # three colours; chance is a third
    released = {"released": True, "reasons": ["it is the first"], "runtime": "onnx", "criteria": []}
    assert report(project, "package") == report(project, "package") | released


def test_train_and_evaluate_report_the_same_scores(project: Project) -> None:
    train, evaluate = report(project, "train"), report(project, "evaluate")
    for split in ("train", "validation"):
        for name in ("accuracy", "f1_macro", "pictures"):  # what a temperature does not change
            assert train[split][name] == pytest.approx(evaluate[split][name], abs=1e-4)


def test_the_answers_are_those_of_validation_and_test(project: Project) -> None:
    answers = pd.read_parquet(project.root / "reports" / "answers.parquet")
    splits = pd.read_parquet(project.root / "data" / "splits.parquet")
    kept = splits[splits["split"] != "train"][["image_id", "split", "label"]]
    assert answers[list(kept)].equals(kept.reset_index(drop=True))
    test = answers[answers["split"] == "test"]
    probabilities = np.stack(test["probabilities"].to_list())
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    names = np.array(sorted(splits["label"].unique()))
    assert test["predicted"].tolist() == names[probabilities.argmax(axis=1)].tolist()
    assert pd.read_csv(project.root / "reports" / "predictions.csv")["predicted"].tolist() == test["predicted"].tolist()


def test_the_unreadable_file_is_listed_with_its_reason(project: Project) -> None:
    manifest = pd.read_parquet(project.root / "data" / "manifest.parquet").set_index("path")
    assert "cannot be decoded completely" in manifest["error"]["cross/broken.png"]


def test_the_run_ends_with_a_summary(project: Project) -> None:
    for expected in ("test accuracy", "version 1 is the champion", "make app"):
        assert expected in project.output


def test_mlflow_has_one_row_with_every_stage_below_it(project: Project) -> None:
    ((row_id, stages),) = project.rows().items()
    row = project.client().get_run(row_id)
    assert sorted(run.info.run_name for run in stages) == sorted(STAGES)
    assert all(run.info.status == "FINISHED" for run in [row, *stages])
    assert row.info.run_name.startswith("shapes-conv-")
    assert row.data.params["train.epochs"] == str(SMALL_RUN["train.epochs"])
    assert row.data.metrics["test_accuracy"] == report(project, "evaluate")["test"]["accuracy"]
    assert {name for name in row.data.metrics if "/" not in name} <= HEADLINES.keys()
    assert len(project.client().get_metric_history(row_id, "epoch/validation_loss")) == 6
    assert row.data.tags["verdict"] == "champion: it is the first"
    card = (project.root / "reports" / "MODEL_CARD.md").read_text()
    note = row.data.tags["mlflow.note.content"]  # it has a sentence more, of what only the store knows
    assert set(card.splitlines()) <= set(note.splitlines())
    assert "This is the first model measured on this test split." in note
    assert {"answers.parquet", "data.html", "evaluation.html", "per_class.json"} <= {
        file.path for file in project.client().list_artifacts(row_id)
    }
    ingest = next(run for run in stages if run.info.run_name == "ingest")
    assert ingest.data.metrics["pictures"] == 75
    (dataset,) = row.inputs.dataset_inputs
    assert dataset.dataset.name == "shapes"
    assert json.loads(dataset.dataset.profile)["classes"] == 3
    train = next(run for run in stages if run.info.run_name == "train")
    live = ("loss", "accuracy", "validation_loss", "learning_rate", "images_per_second", "peak_memory_mb")
    assert {len(project.client().get_metric_history(train.info.run_id, name)) for name in live} == {6}
    assert "augmented.png" in [file.path for file in project.client().list_artifacts(train.info.run_id)]


def test_a_second_run_does_nothing_and_adds_no_row(project: Project) -> None:
    before = project.rows()
    assert "Data and pipelines are up to date." in project.run("dvc", "repro").stdout
    assert project.rows().keys() == before.keys()


def test_the_version_has_its_verdict_and_its_card(project: Project) -> None:
    version = project.client().get_model_version_by_alias("darkroom", "champion")
    commit = project.run("git", "rev-parse", "HEAD~1").stdout.strip()  # the lock was committed after it
    tags = {key: version.tags[f"darkroom.gate.{key}"] for key in ("released", "reasons", "data", "commit")}
    digest = report(project, "split")["validation_digest"]
    assert tags == {"released": "true", "reasons": "it is the first", "data": digest, "commit": commit}
    assert version.description.startswith("# darkroom: an image classifier\n\nReleased: it is the first.")
    assert project.run("darkroom", "versions").stdout.splitlines()[1].split()[:2] == ["1", "champion"]


def test_rates_suggests_a_rate_and_draws_it(project: Project) -> None:
    said = project.run("darkroom", "rates").stdout
    assert "\ntrain.learning_rate: 0.0" in said and "safe first choice for adam" in said
    assert said.splitlines()[-1].startswith("tune.space searches train.learning_rate")
    assert (project.root / "reports" / "learning_rates.png").read_bytes().startswith(b"\x89PNG")


def test_dvc_shows_metrics_and_plots(project: Project) -> None:
    assert "accuracy" in project.run("dvc", "metrics", "show").stdout
    assert "index.html" in project.run("dvc", "plots", "show").stdout


@pytest.mark.slow
def test_runs_shows_what_dvc_and_mlflow_show(project: Project, tmp_path: Path) -> None:
    project.run("darkroom", "runs", "--csv", str(tmp_path / "runs.csv"))
    (row,) = pd.read_csv(tmp_path / "runs.csv").to_dict("records")
    metrics = json.loads(project.run("dvc", "exp", "show", "--json").stdout)[0]["data"]["metrics"]
    of_dvc = headline_metrics(metrics["reports/evaluate.json"]["data"])
    of_mlflow = project.client().get_run(row["id"]).data.metrics
    listed = {name: value for name, value in row.items() if name in HEADLINES}
    assert listed == of_dvc == {name: value for name, value in of_mlflow.items() if "/" not in name}
    assert len(listed) == 7  # no robustness
    assert (row["version"], row["alias"]) == (1, "champion")


def test_the_model_holds_no_pickle(project: Project) -> None:
    (model,) = (project.root / "mlruns").rglob("MLmodel")
    for file in filter(Path.is_file, model.parent.rglob("*")):
        assert file.suffix not in (".pkl", ".pickle", ".joblib") and not file.read_bytes().startswith(b"\x80\x04")
