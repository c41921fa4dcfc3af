import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.examples.batches import Batches
from darkroom.examples.metrics import score_split
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import is_quick
from darkroom.train.checkpoint import Checkpoint, Progress
from darkroom.train.fit import Fit, fit
from easy import data, examples, small_params, weights_digest
from pictures import ROOT

FRESH = """
import json, sys
from darkroom.execution.quiet import silence_libraries
silence_libraries()
from darkroom.examples.runtime import start_tensorflow
start_tensorflow(2)
from easy import data, small_params, weights_digest
from darkroom.train.fit import fit
print(weights_digest(fit(data(), small_params(**json.loads(sys.argv[1]))).network))
"""

AS_FAST = {
    "train": {"optimizer": "muon", "momentum": 0.6, "precision": "bfloat16", "keep": "last"},
    "model": {"architecture": "residual", "filters": [8], "depth": 3, "head": "average", "dense": []},
}
RARER = ("adam", "sgd", "adamw", "rmsprop", "adagrad", "lion")  # adam trains in most other tests, sgd in some


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(data(), small_params())


@pytest.fixture(scope="module")
def turned() -> Fit:
    """Return a training whose validation has the labels swapped: the better it learns, the worse it looks."""
    return fit(data(turned=True), small_params())


def test_it_learns_what_can_be_learnt(fitted: Fit) -> None:
    assert score_split(fitted.network, data()["validation"], 16)["accuracy"] > 0.9
    assert score_split(fitted.network, examples(40, seed=3), 16)["accuracy"] > 0.9  # pictures it never saw


def test_the_history_has_a_row_for_each_epoch(fitted: Fit) -> None:
    columns = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate", "kept"]
    assert list(fitted.history) == columns
    assert fitted.history["kept"].tolist() == [epoch == fitted.best_epoch for epoch in (1, 2, 3, 4)]
    assert fitted.history["epoch"].tolist() == [1, 2, 3, 4]
    assert fitted.history["loss"].iloc[-1] < fitted.history["loss"].iloc[0]


def test_the_best_epoch_is_kept(fitted: Fit, turned: Fit) -> None:
    for one, seen in ((fitted, data()), (turned, data(turned=True))):
        losses = one.history["validation_loss"]
        assert one.best_epoch == losses.argmin() + 1
        found = score_split(one.network, seen["validation"], 16)["log_loss"]
        assert found == pytest.approx(losses.min(), rel=1e-3)
    assert turned.best_epoch < 4


def assert_validation_taught_nothing(straight: Fit, turned: Fit) -> None:
    for column in ("loss", "accuracy", "learning_rate"):
        assert turned.history[column].tolist() == straight.history[column].tolist()
    assert turned.history["validation_loss"].tolist() != straight.history["validation_loss"].tolist()
    assert turned.best_epoch != straight.best_epoch


def test_validation_chooses_the_epoch_and_teaches_nothing(fitted: Fit, turned: Fit) -> None:
    assert_validation_taught_nothing(fitted, turned)


@pytest.mark.slow
def test_validation_teaches_averaged_weights_nothing() -> None:
    straight, turned = (fit(data(turned), small_params(train={"ema": 0.9})) for turned in (False, True))
    assert_validation_taught_nothing(straight, turned)


def test_patience_ends_it_early() -> None:
    stopped = fit(data(turned=True), small_params(train={"epochs": 30, "patience": 2}))
    assert len(stopped.history) == stopped.best_epoch + 2 < 30


def test_the_rate_follows_the_schedule_and_each_epoch_is_logged() -> None:
    seen = []
    train = {"schedule": "step", "step_epochs": [1, 2], "step_factor": 0.5, "epochs": 3, "optimizer": "sgd"}
    history = fit(data(), small_params(train=train), log=lambda metrics, epoch: seen.append((epoch, metrics))).history
    assert history["learning_rate"].tolist() == pytest.approx([0.01, 0.005, 0.0025])
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert [metrics["validation_loss"] for _, metrics in seen] == history["validation_loss"].tolist()
    assert all(metrics["images_per_second"] > 0 and metrics["peak_memory_mb"] > 50 for _, metrics in seen)
    assert not {"images_per_second", "peak_memory_mb"} & set(history)


def test_a_callable_that_sees_each_epoch_may_stop_the_training(tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, float]]] = []

    def stop_after_two(epoch: int, metrics: dict[str, float]) -> bool:
        seen.append((epoch, metrics))
        return epoch == 2

    stopped = fit(data(), small_params(), checkpoint=Checkpoint(tmp_path), on_epoch=stop_after_two)
    assert stopped.history.drop(columns="kept").to_dict("records") == [metrics for _, metrics in seen]
    assert [epoch for epoch, _ in seen] == [1, 2]
    again = fit(data(), small_params(), checkpoint=Checkpoint(tmp_path), on_epoch=stop_after_two)
    assert seen[:2] == seen[2:] and weights_digest(again.network) == weights_digest(stopped.network)


def test_another_seed_is_another_training(fitted: Fit) -> None:
    other = fit(data(), small_params(train={"seed": 1}))
    assert weights_digest(other.network) != weights_digest(fitted.network)  # the same seed is in what copies do


@pytest.fixture(scope="module")
def weighed() -> dict[str, Examples]:
    """Return pictures of which each third has a wrong label and no weight."""
    clean = data()["train"]
    wrong = np.arange(len(clean)) % 3 == 0
    labels = np.where(wrong, 1 - clean.labels, clean.labels).astype(np.int32)
    return {**data(), "train": replace(clean, labels=labels, weights=np.where(wrong, 0, 1.5).astype(np.float32))}


@pytest.fixture(scope="module")
def ignoring(weighed: dict[str, Examples]) -> Fit:
    return fit(weighed, small_params())


def test_a_weight_weighs_the_loss_and_not_the_accuracy(fitted: Fit, ignoring: Fit) -> None:
    assert score_split(ignoring.network, data()["validation"], 16)["accuracy"] > 0.9
    assert ignoring.history["accuracy"].iloc[-1] < 0.75  # of all, also of those without weight
    assert weights_digest(ignoring.network) != weights_digest(fitted.network)


def test_the_loss_that_is_shown_is_weighed_also_where_there_is_a_penalty(
    weighed: dict[str, Examples], ignoring: Fit
) -> None:
    with_it = fit(weighed, small_params(train={"l2": 1e-9, "epochs": 1})).history
    assert with_it["loss"].tolist() == pytest.approx(ignoring.history["loss"].tolist()[:1], rel=1e-3)


def test_weights_of_one_change_nothing(fitted: Fit) -> None:
    ones = replace(data()["train"], weights=np.ones(96, np.float32))
    history = fit({**data(), "train": ones}, small_params(train={"epochs": 2})).history
    assert history["loss"].tolist() == pytest.approx(fitted.history["loss"].tolist()[:2], rel=1e-3)


def test_copies_are_an_epochs_pictures() -> None:
    copies = replace(data()["train"], copies=np.array([2, 0] * 48, np.int32))  # of one class only
    twice = fit({**data(), "train": copies}, small_params())
    assert score_split(twice.network, data()["validation"], 16)["accuracy"] == pytest.approx(0.5, abs=0.1)
    once = replace(data()["train"], copies=np.ones(96, np.int32)).for_training()
    assert np.array_equal(once.rows, data()["train"].rows) and np.array_equal(once.labels, data()["train"].labels)


@pytest.mark.slow  # two repositories with the same lock are not
@pytest.mark.parametrize("changes", [{}, AS_FAST], ids=["default", "as fast"])
def test_a_fresh_process_gives_bit_identical_weights(changes: Any) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", FRESH, json.dumps(changes)]
    fresh = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert fresh.stdout.strip() == weights_digest(fit(data(), small_params(**changes)).network)


@pytest.mark.parametrize(
    "optimizer",
    ["muon", *(pytest.param(name, marks=pytest.mark.slow) for name in RARER)],
)
def test_every_optimizer_learns(optimizer: str) -> None:
    rate = {"adagrad": 0.1, "lion": 0.001}.get(optimizer, 0.01)
    train = {"optimizer": optimizer, "learning_rate": rate, "weight_decay": 0.001, "clip_norm": 1.0, "epochs": 6}
    assert fit(data(), small_params(train=train)).history["validation_accuracy"].iloc[-1] > 0.9


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "focal"},
        pytest.param({"label_smoothing": 0.2}, marks=pytest.mark.slow),
        pytest.param({"l2": 0.01}, marks=pytest.mark.slow),  # its penalty is in quick tests of the loss
        pytest.param({"ema": 0.9}, marks=pytest.mark.slow),
    ],
)
def test_each_key_changes_the_training_and_it_still_learns(fitted: Fit, changes: dict[str, Any]) -> None:
    other = fit(data(), small_params(train={**changes, "epochs": 6}))
    assert other.history["loss"].iloc[0] != fitted.history["loss"].iloc[0] or "ema" in changes
    assert other.history["validation_loss"].iloc[0] != fitted.history["validation_loss"].iloc[0]
    assert other.history["validation_accuracy"].iloc[-1] > 0.9


@pytest.mark.parametrize("precision", ["bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
def test_another_precision_trains_and_is_saved_in_float32(precision: str) -> None:
    other = fit(data(), small_params(train={"precision": precision, "epochs": 6}))
    assert score_split(other.network, data()["validation"], 16)["accuracy"] > 0.9
    assert {layer.compute_dtype for layer in other.network.layers} == {"float32"}


def with_fresh_statistics(fitted: Fit, train: Examples) -> keras.Model:
    """Return the network with mean and variance of all training pictures under its weights."""
    network = fitted.network
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(train.pixels[train.rows], training=True)
    return network


@pytest.mark.parametrize(
    "model",
    [
        {"filters": [8, 8], "norm": "before_pool", "dense_norm": True},
        {"architecture": "residual", "filters": [8], "depth": 2, "head": "average", "dense": []},
    ],
    ids=["conv", "residual"],
)
def test_averaged_weights_are_saved_with_statistics_that_fit_them(model: dict[str, Any]) -> None:
    train = {"ema": 0.99, "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "keep": "last"}
    plain = {"rotation": 0.0, "shift": 0.0, "horizontal_flip": False}
    changes = {"model": {**model, "dropout": 0.0}, "train": {**train, "epochs": 6}, "augment": plain}
    fitted = fit(data(), small_params(**changes))
    saved = score_split(fitted.network, data()["validation"], 16)
    assert fitted.history["validation_accuracy"].iloc[-1] == pytest.approx(saved["accuracy"], abs=1e-6)
    assert fitted.history["validation_loss"].iloc[-1] == pytest.approx(saved["log_loss"], rel=1e-3)
    fresh = score_split(with_fresh_statistics(fitted, data()["train"]), data()["validation"], 16)
    assert fresh["accuracy"] > 0.9
    assert saved["accuracy"] == pytest.approx(fresh["accuracy"], abs=0.05)
    assert saved["log_loss"] == pytest.approx(fresh["log_loss"], abs=0.05)


@pytest.mark.parametrize("keep", ["loss", "accuracy", "last"])
def test_what_is_kept(keep: Any, turned: Fit) -> None:
    """From the numbers of a training; other tests see that fit keeps the weights of the least loss and the last."""
    progress, history = Progress(keep), turned.history
    for epoch in range(4):
        row = {name: float(history[name][epoch]) for name in ("loss", "validation_loss", "validation_accuracy")}
        progress.add({**row, "phase": 1}, [np.array(epoch)])
    losses, accuracies = history["validation_loss"], history["validation_accuracy"]
    best = {"loss": int(losses.argmin()), "accuracy": int(accuracies.argmax()), "last": 3}
    assert progress.best_weights == [best[keep]] and progress.best_epoch == best[keep] + 1


@pytest.mark.slow
def test_auto_is_one_of_the_two_precisions() -> None:
    auto, plain, short = (
        weights_digest(fit(data(), small_params(train={"precision": name, "epochs": 1})).network)
        for name in ("auto", "float32", "bfloat16")
    )
    assert plain != short and auto == (short if is_quick("bfloat16") else plain)


SMALL_FIRST: dict[str, dict[str, Any]] = {"train": {"small_epochs": 2, "small_size": 4}, "model": {"head": "max"}}


def test_the_first_epochs_see_smaller_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    make = Batches._make

    def noted(batches: Batches, part: int) -> Any:
        seen.append(make(batches, part))
        return seen[-1]

    monkeypatch.setattr(Batches, "_make", noted)
    fitted = fit(data(), small_params(**SMALL_FIRST))
    sides = [pixels.shape[1] for pixels, _ in seen if len(pixels) == 96]
    assert sides == sorted(sides) and {4, 8} == set(sides)
    assert {pixels.shape[1] for pixels, _ in seen if len(pixels) == 32} == {8}  # validation
    assert fitted.history["learning_rate"].nunique() == 1 and fitted.history["epoch"].tolist() == [1, 2, 3, 4]
    assert fitted.network.input_shape == (None, 8, 8, 3)


@pytest.mark.slow
def test_patience_begins_with_the_full_size() -> None:
    changes = {**SMALL_FIRST, "train": {**SMALL_FIRST["train"], "epochs": 30, "small_epochs": 8, "patience": 2}}
    stopped = fit(data(turned=True), small_params(**changes))  # the better it learns, the worse it looks
    assert stopped.best_epoch < 8 and len(stopped.history) == 10


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    train = {"optimizer": "sgd", "l2": 1e30}
    diverged = fit(data(), small_params(train=train)).history
    assert len(diverged) < 4 and not np.isfinite(diverged["loss"].iloc[-1])


@pytest.mark.parametrize("keep", ["loss", "accuracy", "last"])
def test_an_epoch_whose_loss_is_no_number_is_not_kept(keep: str) -> None:
    progress = Progress(keep)
    for number, loss in enumerate([0.7, np.nan]):
        row = {"loss": loss, "validation_loss": loss, "validation_accuracy": number, "phase": 1}
        progress.add(row, [np.array(number)])
    assert (progress.best_epoch, progress.best_weights, progress.diverged) == (1, [np.array(0)], True)


@pytest.mark.parametrize("loss", [pytest.param("cross_entropy", marks=pytest.mark.slow), "focal"])
def test_the_loss_that_is_compared_has_no_penalty(loss: str) -> None:
    train = {"loss": loss, "focal_gamma": 0.0, "l2": 0.1, "keep": "last"}
    fitted = fit(data(), small_params(train=train))
    expected = score_split(fitted.network, data()["validation"], 32)["log_loss"]
    assert fitted.history["validation_loss"].iloc[-1] == pytest.approx(expected, abs=1e-4)
