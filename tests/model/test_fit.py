"""What a training learns from its pictures, labels and weights, and that it repeats."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from darkroom.examples.metrics import score_split
from darkroom.examples.pixels import Examples
from darkroom.train.checkpoint import Progress
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
