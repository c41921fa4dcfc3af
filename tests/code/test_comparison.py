"""A model beside the champion on its validation pictures: recorded answers, or a champion that answers them now."""

import base64
import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.pyfunc import PythonModel

from darkroom.gate.comparison import Validation, compare
from darkroom.gate.verdict import Candidate, judge
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.tracking import served
from darkroom.tracking.champion import FACTS_TAG, champion_of
from pictures import encode, inside, noise
from recorded_runs import answers

IDS, CLASSES = [f"i{number:02}" for number in range(40)], ["cat", "dog"]


def answered(wrong: int) -> pd.DataFrame:
    return answers(wrong, IDS, "validation")


def validation(table: pd.DataFrame, images: Path = Path("nowhere")) -> Validation:
    both = pd.concat([table, table.assign(image_id="t" + table["image_id"], split="test")])
    return Validation.of(both, CLASSES, pd.DataFrame({"image_id": IDS, "group_id": IDS}), images)


@pytest.fixture
def register(client: MlflowClient, tmp_path: Path) -> Any:
    def make(table: pd.DataFrame | None, source: str = "file:///nowhere") -> Any:
        run = client.create_run(client.create_experiment(str(tmp_path), (tmp_path / "runs").as_uri()))
        if table is not None:
            table.to_parquet(tmp_path / "answers.parquet")
            client.log_artifact(run.info.run_id, str(tmp_path / "answers.parquet"))
        name = tmp_path.name
        client.create_registered_model(name)
        tags = {FACTS_TAG: json.dumps({"classes": CLASSES})}
        return champion_of(client.create_model_version(name, source, run.info.run_id, tags=tags), name)

    (tmp_path / "dvc.yaml").touch()
    with inside(tmp_path):
        yield make


def test_recorded_answers_are_taken_in_any_order(register: Any) -> None:
    champion = register(answered(6).sample(frac=1, random_state=0))
    found = compare(validation(answered(0)), champion, "accuracy")
    assert not found.measured and found.pictures == 40 and found.problem == ""
    assert found.difference == pytest.approx(0.15) and found.outcome == 1
    worse = compare(validation(answered(12)), champion, "log_loss")
    assert worse.outcome == -1 and worse.difference is not None and worse.difference > 0
    for metric in ("accuracy", "f1_macro", "roc_auc", "log_loss"):
        assert compare(validation(answered(6)), champion, metric).outcome == 0


@pytest.mark.parametrize(
    "recorded",
    [
        answers(0, [f"other{name}" for name in IDS], "validation"),
        answered(0).assign(label="dog"),
        answers(0, IDS, "test"),
        None,
    ],
)
def test_a_champion_of_other_pictures_or_labels_must_load(register: Any, recorded: pd.DataFrame | None) -> None:
    found = compare(validation(answered(0)), register(recorded), "accuracy")
    assert (found.difference, found.problem) == (None, "it cannot be loaded")


@pytest.mark.filterwarnings("ignore:.*Add type hints:UserWarning")  # MLflow, of a model that has none
@pytest.mark.parametrize(("classes", "problem"), [(CLASSES, ""), (["cat"], "it does not give a probability for each")])
def test_a_champion_answers_the_present_pictures(
    register: Any, tmp_path: Path, classes: list[str], problem: str
) -> None:
    class Cats(PythonModel):
        def predict(self, context, model_input):  # type: ignore[no-untyped-def]  # noqa: ARG002 - MLflow reads types
            row = dict(zip(classes, (0.6, 0.4), strict=False))
            return pd.DataFrame({"label": "cat", "probabilities": [row] * len(model_input), "error": None})

    mlflow.pyfunc.save_model(tmp_path / "model", python_model=Cats(), pip_requirements=[])
    (tmp_path / "images").mkdir()
    pictures = [(name, encode(noise(name)), bytes(THUMBNAIL_BYTES)) for name in [*IDS, "train"]]
    write_shard(tmp_path / "images" / "1.parquet", pictures)
    champion = register(answered(0).iloc[1:], (tmp_path / "model").as_uri())
    found = compare(validation(answered(0), tmp_path / "images"), champion, "accuracy")
    assert found.problem.startswith(problem) and bool(found.problem) == bool(problem)
    assert (found.measured, found.difference) == ((True, 0.5) if not problem else (False, None))
    mlflow.set_tracking_uri(None)


class Narrow:
    """A packaged model with limits of its own: it takes three pictures at a time, and refuses some of them."""

    def __init__(self, refused: list[str], images: dict[str, str]) -> None:
        self.limits, self.answers = {"rows": 3, "bytes": 10**6}, self
        self.refused = {images[name] for name in refused}

    def unwrap_python_model(self) -> "Narrow":
        return self

    def predict(self, table: pd.DataFrame) -> pd.DataFrame:
        assert len(table) <= 3
        error = ["too large" if text in self.refused else None for text in table["image"]]
        return pd.DataFrame({"label": "cat", "probabilities": [{"cat": 0.6, "dog": 0.4}] * len(table), "error": error})


@pytest.mark.parametrize(("refused", "difference"), [(IDS[:4], 20 / 36), (IDS[18:22], 0.5), (IDS, None)])
def test_a_champion_is_asked_within_its_limits_and_what_it_refuses_counts_for_neither(
    register: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: list[str], difference: float | None
) -> None:
    contents = {name: encode(noise(name)) for name in IDS}
    write_shard(tmp_path / "1.parquet", [(name, data, bytes(THUMBNAIL_BYTES)) for name, data in contents.items()])
    texts = {name: base64.b64encode(data).decode() for name, data in contents.items()}
    monkeypatch.setattr(served, "_load", lambda _: Narrow(refused, texts))
    found = compare(validation(answered(0), tmp_path), register(None), "accuracy")
    if difference is None:
        assert (found.difference, found.problem) == (None, "it refuses all of these pictures")
        return
    assert (found.pictures, found.refused) == (36, 4) and found.difference == pytest.approx(difference)
    (reason,) = judge(Candidate("a"), Candidate("b", "other"), [], found).reasons
    assert reason.endswith(
        "on the same 36 pictures, on which the champion was run anew; without 4 that the champion refuses"
    )
