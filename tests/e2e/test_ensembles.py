"""Several networks packaged and served as one model; a quick run that is never released."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from project import Project, make_small_project

pytestmark = pytest.mark.slow  # networks, folds and evaluations have quick tests of their own, each in one process

ASK = """
import base64, mlflow, pandas
picture = base64.b64encode(open("reports/example.png", "rb").read()).decode()
answer = mlflow.pyfunc.load_model("models:/darkroom@champion").predict(pandas.DataFrame({"image": [picture]}))
print(sum(answer["probabilities"][0].values()))
"""


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Return a small project with one network for each of two folds, each averaged over mirror images.

    Its evaluation has all that takes time, and pictures of something else.
    """
    made = make_small_project(tmp_path_factory.mktemp("folds") / "repository", programs)
    made.set({"split.folds": 2, "ensemble.folds": True, "tune.enabled": False, "train.epochs": 2})
    made.set({"model.average": "flip", "evaluate.heat_maps": 2, "evaluate.other_data": "noise"})
    made.set({"evaluate.robustness": {"pictures": 10, "kinds": ["jpeg"]}})
    (made.root / "data/other/noise").mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(noise).save(made.root / f"data/other/noise/{number}.png")
    made.commit()
    done = made.run("dvc", "repro")
    made.output = done.stdout + done.stderr
    return made


def report(project: Project, stage: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((project.root / "reports" / f"{stage}.json").read_text())
    return read


def test_there_is_a_network_for_each_fold_and_validation_has_all_of_them(folded: Project) -> None:
    assert "network 2 of 2: conv, seed 0, validated by fold 1" in folded.output
    train, split = report(folded, "train"), report(folded, "split")
    assert train["networks"] == 2 and train["epochs"] == 4
    assert train["validation"]["pictures"] == split["train"] + split["validation"]


def test_the_gate_sees_the_answers_of_the_networks_that_did_not_learn_the_picture(folded: Project) -> None:
    evaluate, train = report(folded, "evaluate"), report(folded, "train")
    for name in ("accuracy", "f1_macro", "pictures"):
        assert evaluate["validation"][name] == pytest.approx(train["validation"][name])


def test_the_answers_hold_only_pictures_that_no_network_learnt(folded: Project) -> None:
    answers = pd.read_parquet(folded.root / "reports" / "answers.parquet")
    split = report(folded, "split")
    assert answers["split"].value_counts().to_dict() == {
        "validation": split["train"] + split["validation"],
        "test": split["test"],
    }


def test_it_is_served_as_one_model(folded: Project) -> None:
    assert float(folded.run("python", "-c", ASK).stdout.splitlines()[-1]) == pytest.approx(1, abs=1e-5)


def test_the_evaluation_finds_out_everything(folded: Project) -> None:
    found, reports = report(folded, "evaluate"), folded.root / "reports"
    for split in ("train", "validation", "test"):
        low, high = found[split]["interval"]["accuracy"]
        assert 0 <= low <= found[split]["accuracy"] <= high <= 1
    assert found["coverage"]["level"] == 0.95 and found["calibration"]["temperature"] > 0
    assert 0 <= found["out_of_distribution"]["roc_auc"] <= 1
    assert found["robustness"].keys() == {"clean", "mean", "relative", "flip", "shift"}
    assert found["champion"]["compared"] is False and found["cost"]["multiply_adds"] > 0
    assert pd.read_csv(reports / "corruptions.csv")["severity"].tolist() == [1, 2, 3, 4, 5]
    assert list(pd.read_csv(reports / "slices.csv"))[:4] == ["slice", "value", "pictures", "accuracy"]
    assert list(pd.read_csv(reports / "label_issues.csv"))[-2:] == ["suggested", "confidence"]
    page = (reports / "evaluation.html").read_text()
    for section in ("summary", "calibration", "errors", "slices", "robustness", "attention", "cost"):
        assert f'<section id="{section}"' in page
    assert "data:image/webp;base64," in page and "http://" not in page.replace("http://www.w3.org", "")


def test_a_quick_run_is_not_released(folded: Project) -> None:
    folded.set({"debug.mode": "step"})
    done = folded.run("dvc", "repro")
    assert (
        "is registered, not released: a debug run (params.yaml: debug) is never released" in done.stdout + done.stderr
    )
    assert report(folded, "package")["released"] is False
    champion = folded.client().get_model_version_by_alias("darkroom", "champion")
    assert str(champion.version) == "1"
