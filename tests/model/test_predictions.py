"""What a network answers on a split: the object, its table, the studies of it, and one sample of train for all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.core.files import write_value
from darkroom.core.tables import ANSWERS
from darkroom.evaluate.measure import measure
from darkroom.evaluate.studies import confusion, prediction_table
from darkroom.examples import sampling
from darkroom.examples.metrics import predict
from darkroom.examples.predictions import Predictions, answers_table
from darkroom.models.architecture import build_network
from darkroom.models.features import with_features
from darkroom.train.ensemble import Member, measure_members
from darkroom.train.fit import Fit
from easy import examples, model_params, small_params

# four pictures of three classes, and one that none of them is of; predicted 0, 1, 1, 2
ANSWERED = Predictions(
    "test",
    np.array(["a1", "b2", "c3", "d4"]),
    np.array([0, 1, 0, 2], np.int32),
    np.array([[0.7, 0.2, 0.1, 0], [0.1, 0.8, 0.1, 0], [0.3, 0.6, 0.1, 0], [0.2, 0.2, 0.6, 0]], np.float32),
    ("cat", "dog", "猫", "split"),
)
EARLIER = Predictions(
    "validation", np.array(["b1"]), np.array([3], np.int32), np.eye(4, dtype=np.float32)[3:], ANSWERED.classes
)


@pytest.fixture(scope="module")
def network() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    return build_network(model_params(dense=[]), 8, 2)


def fitted(network: Any) -> Fit:
    return Fit(network, pd.DataFrame(), 1)


def test_the_confusion_has_a_row_for_each_pair_of_classes_even_when_one_is_missing() -> None:
    matrix = confusion(ANSWERED)
    assert len(matrix) == 16 and matrix["pictures"].sum() == 4
    found = matrix[matrix["pictures"] > 0].set_index(["actual", "predicted"])["pictures"].to_dict()
    assert found == {("cat", "cat"): 1, ("cat", "dog"): 1, ("dog", "dog"): 1, ("猫", "猫"): 1}


def test_the_predictions_have_a_row_for_each_picture() -> None:
    table = prediction_table(ANSWERED)
    assert table["image_id"].tolist() == ["a1", "b2", "c3", "d4"]
    assert table["actual"].tolist() == ["cat", "dog", "cat", "猫"]
    assert table["predicted"].tolist() == ["cat", "dog", "dog", "猫"]
    assert table["score"].tolist() == pytest.approx([0.7, 0.8, 0.6, 0.6])


def test_the_answers_hold_every_probability_and_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one.parquet", "two.parquet"):
        write_value(tmp_path / name, answers_table([EARLIER, ANSWERED]), ".parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    table = pd.read_parquet(tmp_path / "one.parquet")
    assert list(table) == list(ANSWERS)
    assert table["image_id"].tolist() == ["a1", "b1", "b2", "c3", "d4"]
    assert table["split"].tolist() == ["test", "validation", "test", "test", "test"]
    assert table["label"].tolist() == ["cat", "split", "dog", "cat", "猫"]
    assert table["predicted"].tolist() == ["cat", "split", "dog", "dog", "猫"]
    test = np.stack(table[table["split"] == "test"]["probabilities"].to_list())
    assert test.dtype == np.float32 and np.array_equal(test, ANSWERED.probabilities)


def test_varied_pictures_are_answered_in_their_order(network: Any) -> None:
    class Darker:
        def vary(self, pixels: np.ndarray, targets: np.ndarray, *_: Any) -> tuple[np.ndarray, np.ndarray]:
            return pixels // 4, targets

    pictures = examples(20, 1)
    dark = examples(20, 1)
    assert isinstance(dark.pixels, np.ndarray)
    dark.pixels[:] //= 4
    varied = predict(network, pictures, 8, Darker())
    assert np.array_equal(varied, predict(network, dark, 8))
    assert not np.array_equal(varied, predict(network, pictures, 8))


@pytest.mark.parametrize(("count", "largest"), [(2100, 10_000), (90, 40)])
def test_train_and_evaluate_measure_the_same_pictures_of_train(
    network: Any, monkeypatch: pytest.MonkeyPatch, count: int, largest: int
) -> None:
    monkeypatch.setattr(sampling, "LARGEST_TRAIN", largest)
    params, data = small_params(), {"train": examples(count, 1), "validation": examples(20, 2)}
    trained = measure_members([Member(params, None)], [fitted(network)], {None: data}, params)
    found = measure(with_features(network), data, 64)
    assert {name: part.answers.scores() for name, part in found.items()} == {
        name: pytest.approx(part.scores(), abs=1e-5) for name, part in trained.items()
    }
    assert len(trained["train"]) == len(found["train"].features) == min(count, largest)


def test_folds_share_the_pictures_of_train_that_are_measured(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "LARGEST_TRAIN", 40)
    params, data = small_params(), {"train": examples(90, 1), "validation": examples(20, 2)}
    members = [Member(params, fold) for fold in (0, 1)]
    answers = measure_members(members, [fitted(network)] * 2, {0: data, 1: data}, params)
    assert len(answers["train"]) == 40 and len(answers["validation"]) == 40
