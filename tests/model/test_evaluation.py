"""A whole evaluation in one process: a small network, all that is found out about it, and the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from darkroom.core.tables import ANSWERS, MANIFEST
from darkroom.decision.saving import load_decision, write_decision
from darkroom.evaluate.curves import write_curves
from darkroom.evaluate.evaluation import Evaluation, Inputs, evaluate_model
from darkroom.evaluate.measure import pictures_at_once
from darkroom.evaluate.page import page_content, write_page
from darkroom.evaluate.plots import draw_plots
from darkroom.evaluate.report import summarise
from darkroom.evaluate.studies import confusion, prediction_table
from darkroom.examples.pixels import Examples
from darkroom.examples.saving import save_network
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.params.declared import DeclaredParams
from darkroom.train.fit import fit
from easy import CLASSES, examples, small_params
from pictures import encode

SPLITS = {"train": slice(0, 96), "validation": slice(96, 136), "test": slice(136, 196)}
MISLABELLED = "150"  # a row of test
EVALUATE = {
    "heat_maps": 2,
    "champion": False,
    "other_data": "noise",
    "robustness": {"pictures": 8, "kinds": ["jpeg", "contrast"]},
}
PARAMS = small_params(evaluate=EVALUATE, ensemble={}, package={}, train={"epochs": 8})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder, every = tmp_path_factory.mktemp("evaluation"), examples(196, 1)
    labels = every.labels.copy()
    labels[int(MISLABELLED)] = 1 - labels[int(MISLABELLED)]
    rows = np.arange(196)
    data = {name: Examples(every.pixels, rows[part], labels[part], CLASSES) for name, part in SPLITS.items()}
    pixels = every.pixels[rows]
    (folder / "images").mkdir()
    shard = [(str(row), encode(Image.fromarray(pixels[row])), bytes(THUMBNAIL_BYTES)) for row in rows]
    write_shard(folder / "images" / "part-00000.parquet", shard)
    save_network(fit({name: data[name] for name in ("train", "validation")}, PARAMS).network, folder / "model.keras")
    others = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    return Inputs(folder / "model.keras", folder / "images", data, facts(pixels), others)


def facts(pixels: np.ndarray) -> pd.DataFrame:
    count = len(pixels)
    known = {"width": 8, "height": 8, "mode": "RGB", "format": "PNG", "orientation": 1, "greyscale": False, "bytes": 9}
    table = pd.DataFrame({"image_id": np.arange(count).astype(str), **known})
    table = table.assign(brightness=pixels.mean(axis=(1, 2, 3)) / 255, contrast=0.1, sharpness=1.0)
    table = table.reindex(columns=list(MANIFEST)).assign(
        path="pictures/" + table["image_id"], group_id=np.arange(count), feedback=False
    )
    return table.set_index("image_id")


@pytest.fixture(scope="module")
def found(inputs: Inputs) -> Evaluation:
    return evaluate_model(inputs, pd.DataFrame(), PARAMS)


def test_the_report_tells_how_good_and_how_sure(found: Evaluation) -> None:
    report = summarise(found)
    for split in SPLITS:
        low, high = report[split]["interval"]["accuracy"]
        assert 0.8 < low < report[split]["accuracy"] <= high
    assert report["test"]["pictures"] == 60 and report["test"]["accuracy"] == pytest.approx(59 / 60)
    assert report["calibration"]["temperature"] > 0 and len(report["calibration"]["band"]) == 2
    assert report["coverage"]["level"] == 0.95 and report["coverage"]["too_small"] is None
    assert report["robustness"]["clean"] == 1 and report["champion"] is None
    details = report["validation_details"]
    assert details["weakest_class"]["class"] in CLASSES and details["weakest_class"]["recall"] > 0.8
    assert 0 <= details["calibration_error"] < 0.2 and details["worst_slice"] is None
    assert 0.5 < report["out_of_distribution"]["roc_auc"] <= 1
    assert report["cost"]["file_bytes"] > 0


def test_a_wrong_label_is_the_worst_error_and_the_first_suspect(found: Evaluation) -> None:
    assert found.study.label_issues["image_id"].tolist() == [MISLABELLED]
    assert found.answers["test"].image_ids[found.errors].tolist() == [MISLABELLED]
    assert list(found.explanations.maps.heat) == list(found.explanations.maps.occlusion) == [MISLABELLED]


def test_the_tables_hold_every_answer(found: Evaluation) -> None:
    answers = found.answers_table()
    assert list(answers) == list(ANSWERS) and len(answers) == 100
    assert len(prediction_table(found.answers["test"])) == confusion(found.answers["test"])["pictures"].sum() == 60
    assert found.corruptions.groupby("kind")["severity"].count().to_dict() == {"contrast": 5, "jpeg": 5}


def test_the_page_shows_it_and_is_the_same_each_time(found: Evaluation, inputs: Inputs, tmp_path: Path) -> None:
    history = pd.DataFrame({"epoch": [1, 2], "network": 1, "kept": [False, True]})
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        history[name] = [0.6, 0.5]
    for name in ("one.html", "two.html"):
        content = page_content(found, inputs.facts, history, "pets", "f" * 64)
        write_page(tmp_path / name, content, inputs.images, inputs.facts, "auto")
    text = (tmp_path / "one.html").read_text()
    assert text == (tmp_path / "two.html").read_text()
    assert f"pictures/{MISLABELLED}" in text and "contrast hurts most" in text
    draw_plots(
        tmp_path / "plots",
        history,
        confusion(found.answers["test"]),
        found.study.curves,
        found.study.calibration.reliability,
    )
    write_curves(tmp_path / "curves", found.study.curves, found.study.calibration.reliability)
    assert len(list((tmp_path / "plots").iterdir())) == 4 and len(list((tmp_path / "curves").iterdir())) == 3


def test_the_decision_is_what_serving_will_apply(found: Evaluation, tmp_path: Path) -> None:
    write_decision(tmp_path / "decision", found.rule, found.familiarity)
    rule, familiarity = load_decision(tmp_path / "decision")
    test = found.measured["test"]
    assert rule == found.rule and familiarity.score(test.features) == pytest.approx(
        found.familiarity.score(test.features), abs=1e-5
    )


@pytest.mark.parametrize(("side", "count"), [(8, 256), (224, 41), (1024, 2)])
def test_of_large_pictures_fewer_are_answered_at_once(side: int, count: int) -> None:
    params: DeclaredParams = small_params(evaluate={}, image={"size": side})
    assert pictures_at_once(params) == count
