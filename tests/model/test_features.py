"""The features that a network's last layer sees, beside its answers."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.models import features
from darkroom.models.architecture import build_network
from darkroom.models.combine import combine
from darkroom.models.features import last_layer, members_of, with_features
from easy import model_params

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype("uint8")


def network(**changes: Any) -> keras.Model:
    return build_network(model_params(**changes), 16, 2)


@pytest.mark.parametrize(
    ("build", "width"),
    [
        (lambda: network(), 8),
        (lambda: network(output="sigmoid"), 8),
        (lambda: combine([network()], "flip"), 8),
        (lambda: combine([network(), network()], "none"), 16),
        (lambda: combine([network(), network()], "flip_shift"), 16),
    ],
)
def test_the_answers_stay_and_features_stand_beside_them(build: Callable[[], keras.Model], width: int) -> None:
    model = build()
    answers, seen = with_features(model)(PIXELS)
    assert np.asarray(answers) == pytest.approx(np.asarray(model(PIXELS)), abs=1e-6)
    assert seen.shape == (5, width)


def test_the_features_are_what_the_last_layer_sees() -> None:
    model = network()
    answers, seen = (np.asarray(values) for values in with_features(model)(PIXELS))
    kernel, bias = last_layer(model).get_weights()
    logits = seen @ kernel + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert answers == pytest.approx(shares, abs=1e-5)


def test_of_wide_maps_the_means_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(dense=[], head="flatten")
    maps = model.get_layer("flatten").input
    monkeypatch.setattr(features, "WIDE", 10)
    seen = np.asarray(with_features(model)(PIXELS)[1])
    assert seen == pytest.approx(np.asarray(keras.Model(model.input, maps)(PIXELS)).mean(axis=(1, 2)), abs=1e-5)


def test_a_network_from_elsewhere_has_no_last_layer() -> None:
    pixels = keras.Input((16, 16, 3))
    with pytest.raises(ValueError, match="no layer probabilities or second_class"):
        last_layer(keras.Model(pixels, keras.layers.Flatten()(pixels)))
    assert members_of(network())[0].name == "network"
