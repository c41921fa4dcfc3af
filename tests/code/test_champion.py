"""The champion beside a model, and how often a test split was looked at, in a real store."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import PythonModel

from darkroom.evaluate import champion
from darkroom.evaluate.champion import compare
from darkroom.evaluate.pictures import changed_pictures
from darkroom.examples.predictions import Predictions
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.tracking.champion import FACTS_TAG, ChampionUnknown, answers_of, find_champion
from darkroom.tracking.looks import count_looks, record_look
from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import connect, experiment_id
from pictures import encode, inside, noise

IDS = [f"i{number}" for number in range(6)]
CLASSES = ("cat", "dog")
RIGHT = [[0.9, 0.1]] * 3 + [[0.2, 0.8]] * 3


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("champion")
    (root / "dvc.yaml").touch()
    with inside(root):
        yield root
    mlflow.set_tracking_uri(None)


def answers(probabilities: Any) -> Predictions:
    return Predictions("test", np.array(IDS), np.repeat([0, 1], 3), np.asarray(probabilities, np.float32), CLASSES)


def table(predictions: Predictions) -> pd.DataFrame:
    names = np.array(predictions.classes)
    return pd.DataFrame(
        {
            "image_id": predictions.image_ids,
            "split": predictions.split,
            "label": names[predictions.labels],
            "predicted": names[predictions.predicted],
            "probabilities": list(predictions.probabilities),
        }
    )


def crown(name: str, answered: pd.DataFrame | None, folder: Path, classes: tuple[str, ...] = CLASSES) -> str:
    """Register a champion whose run holds a table of answers; return its run_id."""
    client = connect()
    run_id: str = client.create_run(experiment_id(client, name)).info.run_id
    if answered is not None:
        answered.to_parquet(folder / "answers.parquet")
        client.log_artifact(run_id, str(folder / "answers.parquet"))
    client.create_registered_model(name)
    tags = {FACTS_TAG: json.dumps({"classes": classes})}
    version = client.create_model_version(name, f"file://{folder}/nothing", run_id, tags=tags)
    client.set_registered_model_alias(name, "champion", version.version)
    return run_id


def test_a_champion_is_found_with_its_answers(tmp_path: Path) -> None:
    assert find_champion("found") is None
    run_id = crown("found", table(answers(RIGHT)), tmp_path)
    found_champion = find_champion("found")
    assert found_champion is not None
    assert (found_champion.version, found_champion.run_id, found_champion.uri) == ("1", run_id, "models:/found/1")
    assert found_champion.classes == CLASSES
    found = answers_of(found_champion.run_id)
    assert found is not None and found["image_id"].tolist() == IDS


def test_a_store_that_fails_is_a_warning(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'dvc.yaml' / 'mlflow.db'}")
    with caplog.at_level(logging.WARNING, "darkroom"):
        with pytest.raises(ChampionUnknown):
            find_champion("any")
        found = compare(answers(RIGHT), np.arange(6), "any", workspace)
        assert (found.compared, found.reason) == (False, "MLflow could not be asked")
        assert count_looks("digest") == 0
    assert "MLflow failed while looking for the champion" in caplog.text


def test_the_pictures_that_change_sides_are_named(tmp_path: Path) -> None:
    flipped = RIGHT[:1] + [[0.1, 0.9]] * 2 + RIGHT[3:]  # i1 and i2 are wrong
    crown("worse", table(answers(flipped)).sample(frac=1, random_state=0), tmp_path)
    own = answers([*RIGHT[:5], [0.6, 0.4]])  # i5 is wrong
    found = compare(own, np.arange(6), "worse", tmp_path)
    assert found.compared and not found.measured and not found.same
    assert (found.won, found.lost) == (("i1", "i2"), ("i5",))
    assert found.difference == pytest.approx(1 / 6)
    assert found.interval is not None and found.interval[0] < 0 < found.interval[1]
    assert found.p == 1  # 2 of 3 are no evidence
    report = found.report()
    assert (report["won"], report["lost"]) == (2, 1)
    again = compare(answers(flipped), np.arange(6), "worse", tmp_path)
    assert again.same and (again.difference, again.interval, again.p) == (0, (0, 0), 1)


@pytest.mark.parametrize(
    ("classes", "reason"),
    [(("cat", "fish"), "it has other classes (cat, fish)"), ((), "it has other classes (not recorded)")],
)
def test_a_champion_of_other_pictures_and_classes_is_not_compared(
    tmp_path: Path, classes: tuple[str, ...], reason: str
) -> None:
    name = f"other-{len(classes)}"
    crown(name, table(answers(RIGHT))[1:], tmp_path, classes)
    found = compare(answers(RIGHT), np.arange(6), name, tmp_path)
    assert (found.compared, found.reason) == (False, reason)
    assert compare(answers(RIGHT), np.arange(6), "nobody", tmp_path).reason == "there is no champion yet"


def test_a_champion_of_corrected_labels_is_asked_again_and_must_load(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corrected = table(answers(RIGHT)).assign(label="dog")
    crown("gone", corrected, tmp_path)
    found = compare(answers(RIGHT), np.arange(6), "gone", tmp_path)
    assert (found.compared, found.reason) == (False, "it cannot be loaded")  # why not is for the log alone
    assert "it cannot be loaded: No such artifact" in caplog.text


@pytest.mark.filterwarnings("ignore:.*Add type hints:UserWarning")  # MLflow, of a model that has none
def test_a_champion_answers_the_present_pictures(tmp_path: Path) -> None:
    class Cats(PythonModel):
        def predict(self, context, model_input):  # type: ignore[no-untyped-def]  # noqa: ARG002 - MLflow reads types
            return pd.DataFrame({"label": ["cat"] * len(model_input), "error": None})

    crown("served", None, tmp_path)
    mlflow.pyfunc.save_model(tmp_path / "model", python_model=Cats(), pip_requirements=[])
    client = connect()
    tags = {FACTS_TAG: json.dumps({"classes": CLASSES})}
    version = client.create_model_version("served", (tmp_path / "model").as_uri(), tags=tags)
    client.set_registered_model_alias("served", "champion", version.version)
    (tmp_path / "images").mkdir()
    pictures = [(name, encode(noise(name)), bytes(THUMBNAIL_BYTES)) for name in [*IDS, "train"]]
    write_shard(tmp_path / "images" / "1.parquet", pictures[:4])
    write_shard(tmp_path / "images" / "2.parquet", pictures[4:])
    found = compare(answers(RIGHT), np.arange(6), "served", tmp_path / "images")
    assert found.compared and found.measured
    assert (found.difference, found.won, found.lost) == (0.5, ("i3", "i4", "i5"), ())


def test_pictures_that_the_champion_refuses_count_for_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crown("narrow", None, tmp_path)
    labels = pd.DataFrame({"label": ["cat"] * 4}, ["i0", "i1", "i2", "i4"])  # right on the first three
    monkeypatch.setattr(champion, "served_answers", lambda *_: labels)
    own = answers([[0.1, 0.9], *RIGHT[1:]])  # i0 is wrong
    found = compare(own, np.arange(6), "narrow", tmp_path)
    assert (found.compared, found.measured, found.refused) == (True, True, 2)
    assert (found.difference, found.won, found.lost) == (0, ("i4",), ("i0",))
    changed = changed_pictures(own, labels["label"], pd.Series(IDS, IDS))
    assert [(one.image_id, one.champion) for one in changed] == [("i0", "cat"), ("i4", "cat")]


def test_looks_at_a_test_split_are_counted_by_model() -> None:
    counts = []
    for model, split, experiment in (("one", "a", "x"), ("two", "a", "y"), ("one", "a", "y"), ("three", "b", "x")):
        run = StageRun("evaluate", experiment)
        with run.recording({}):
            counts.append(record_look(run, split, model))
        connect().delete_run(run.run_id)
    assert counts == [1, 2, 2, 1]
    assert count_looks("a") == 2 and count_looks("c") == 0
