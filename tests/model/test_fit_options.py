"""Optimizers, precisions, averaged weights and penalties: what is trained, compared and saved."""

from typing import Any

import keras
import pytest

from darkroom.examples.metrics import score_split
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import is_quick
from darkroom.train.fit import Fit, fit
from easy import data, small_params, weights_digest

RARER = ("adam", "sgd", "adamw", "rmsprop", "adagrad", "lion")  # adam trains in most other tests, sgd in some


@pytest.mark.parametrize(
    "optimizer",
    ["muon", *(pytest.param(name, marks=pytest.mark.slow) for name in RARER)],
)
def test_every_optimizer_learns(optimizer: str) -> None:
    rate = {"adagrad": 0.1, "lion": 0.001}.get(optimizer, 0.01)
    train = {"optimizer": optimizer, "learning_rate": rate, "weight_decay": 0.001, "clip_norm": 1.0, "epochs": 6}
    assert fit(data(), small_params(train=train)).history["validation_accuracy"].iloc[-1] > 0.9


@pytest.mark.parametrize("precision", ["bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
def test_another_precision_trains_and_is_saved_in_float32(precision: str) -> None:
    other = fit(data(), small_params(train={"precision": precision, "epochs": 6}))
    assert score_split(other.network, data()["validation"], 16)["accuracy"] > 0.9
    assert {layer.compute_dtype for layer in other.network.layers} == {"float32"}


@pytest.mark.slow
def test_auto_is_one_of_the_two_precisions() -> None:
    auto, plain, short = (
        weights_digest(fit(data(), small_params(train={"precision": name, "epochs": 1})).network)
        for name in ("auto", "float32", "bfloat16")
    )
    assert plain != short and auto == (short if is_quick("bfloat16") else plain)


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


@pytest.mark.parametrize("loss", [pytest.param("cross_entropy", marks=pytest.mark.slow), "focal"])
def test_the_loss_that_is_compared_has_no_penalty(loss: str) -> None:
    train = {"loss": loss, "focal_gamma": 0.0, "l2": 0.1, "keep": "last"}
    fitted = fit(data(), small_params(train=train))
    expected = score_split(fitted.network, data()["validation"], 32)["log_loss"]
    assert fitted.history["validation_loss"].iloc[-1] == pytest.approx(expected, abs=1e-4)
