"""A search over how pictures are decoded: every later stage, and what is served, decodes as the best trial did."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from darkroom.params.load import read_yaml
from project import Project, make_small_project

SPACE: dict[str, Any] = {
    "image": {"size": {"choices": [12, 20]}, "resize": {"choices": ["crop"]}},
    "train": {"learning_rate": {"choices": [0.01]}},
}
SEARCH = {"tune.trials": 3, "tune.epochs": 2, "tune.finalists": 0, "tune.space": SPACE, "train.learning_rate": 99.0}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """A project whose own values, the first trial, are hopeless: the best setting is one of the space."""
    made = make_small_project(tmp_path_factory.mktemp("sizes") / "repository", programs)
    made.set(SEARCH)
    made.run("dvc", "repro")
    return made


@pytest.mark.slow  # a whole pipeline
def test_what_is_measured_and_served_is_decoded_as_the_best_trial(tuned: Project) -> None:
    best = read_yaml(tuned.root / "models/tune/best.yaml")
    side = best["image"]["size"]
    assert side in (12, 20) and best["image"]["resize"] == "crop" and best["train"]["learning_rate"] == 0.01
    bundle = json.loads((tuned.root / "models/bundle/bundle.json").read_text())
    assert (bundle["image"]["size"], bundle["image"]["resize"]) == (side, "crop")
    with Image.open(tuned.root / "reports/example.png") as example:
        assert example.size == (side, side)
    ((row, _),) = tuned.rows().items()
    assert tuned.client().get_run(row).data.params["image.size"] == str(side)
    assert f"image.size = {side}" in (tuned.root / "reports/MODEL_CARD.md").read_text()


@pytest.mark.slow
def test_served_answers_are_those_of_evaluate(tuned: Project) -> None:
    tuned.run("darkroom", "predict", "data/raw/shapes", "--model", "models", "--output", "served.csv", check=False)
    served = pd.read_csv(tuned.root / "served.csv").dropna(subset=["label"])
    served["path"] = [Path(path).relative_to("data/raw/shapes").as_posix() for path in served["path"]]
    manifest = pd.read_parquet(tuned.root / "data/manifest.parquet")[["path", "image_id"]]
    answers = pd.read_parquet(tuned.root / "reports/answers.parquet")
    both = (
        answers[answers["split"] == "test"].merge(manifest, on="image_id").merge(served, on="path", suffixes=("_", ""))
    )
    assert len(both) == (answers["split"] == "test").sum() > 5
    assert both["label"].tolist() == both["predicted"].tolist()
    assert both["score"].to_numpy() == pytest.approx(np.stack(both["probabilities"].to_list()).max(axis=1), abs=1e-4)


@pytest.mark.slow
def test_exports_and_students_decode_alike(tuned: Project) -> None:
    """A student is trained on the pictures, and an export compared with its model on them."""
    side = read_yaml(tuned.root / "models/tune/best.yaml")["image"]["size"]
    tuned.run("darkroom", "shrink", "--filters", "4,8", "--epochs", "1")
    student = json.loads((tuned.root / "models/students/4-8/bundle.json").read_text())
    assert (student["image"]["size"], student["image"]["resize"]) == (side, "crop")
    tuned.run("darkroom", "export", "--format", "onnx", "--version", "models", "--output", "out")
    assert f"{side}" in (tuned.root / "out" / "example.py").read_text()
