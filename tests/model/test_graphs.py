"""Networks as ONNX graphs: what Keras answers, where the class is seen, and the same bytes each time."""

import logging
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.graphs import agreement
from darkroom.graphs.agreement import write_graphs
from darkroom.graphs.convert import network_to_onnx
from darkroom.graphs.heat import load_heat_mapper, overlay_png
from darkroom.graphs.layer_cam import layer_cam_to_onnx
from darkroom.graphs.session import open_session
from darkroom.models.architecture import build_network
from darkroom.models.combine import combine
from darkroom.models.features import with_features
from easy import model_params
from pictures import ROOT


def one(side: int = 16, **params: Any) -> keras.Model:
    """Return a network whose normalisations do something."""
    network = build_network(model_params(**params), side, 2)
    chance = np.random.default_rng(0)
    for weight in network.weights:
        if "norm" in weight.path:
            weight.assign(chance.uniform(0.5, 1.5, weight.shape))
    return network


def backbone(name: str, **params: Any) -> keras.Model:
    return one(64, architecture=name, head="average", dense=[], **params)


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "conv": lambda: one(filters=[4, 4], kernel=[5, 3], stride=[1, 2], pool=[3, 2], head="max", output="sigmoid"),
}
DEAR: dict[str, Callable[[], keras.Model]] = {
    "shifted": lambda: combine([one(filters=[4], norm="after_pool"), one(filters=[4], head="average")], "flip_shift"),
    "residual": lambda: one(32, architecture="residual", filters=[4, 4, 4], depth=3),
    "strided residual": lambda: one(40, architecture="residual", stem=4, filters=[4, 4], depth=3, head="average"),
    **{name: partial(backbone, name) for name in ("EfficientNetV2B0", "DenseNet121")},
    "MobileNetV2": partial(backbone, "MobileNetV2", width=0.35),
}


@pytest.mark.parametrize("name", [*NETWORKS, *(pytest.param(name, marks=pytest.mark.slow) for name in DEAR)])
def test_onnx_runtime_answers_and_explains_as_keras_does(name: str, tmp_path: Path) -> None:
    network = (NETWORKS | DEAR)[name]()
    pixels = np.random.default_rng(0).integers(0, 256, (3, *network.input_shape[1:]), np.uint8)
    assert write_graphs(tmp_path, network, pixels) == ""  # "": differs by no more than 1e-5
    answers, features = open_session(tmp_path / "network.onnx").run(None, {"pixels": pixels})
    expected = with_features(network)(pixels, training=False)
    assert answers == pytest.approx(np.asarray(expected[0]), abs=1e-5)
    assert features == pytest.approx(np.asarray(expected[1]), abs=1e-4, rel=1e-4)
    mapper = load_heat_mapper(tmp_path)
    assert mapper is not None
    maps = mapper(pixels, np.array([0, 1, 1]))
    assert maps.shape == pixels.shape[:3] and maps.dtype == np.float32
    assert maps.min() >= 0 and 0 < maps.max() <= 1
    assert overlay_png(pixels[0], maps[0]).startswith(b"\x89PNG")
    assert np.isfinite(mapper(np.zeros_like(pixels), np.array([0, 1, 1]))).all()
    assert mapper(pixels[:0], np.zeros(0, int)).shape == (0, *pixels.shape[1:3])


def test_a_graph_has_the_same_bytes_each_time() -> None:
    network = one()
    assert network_to_onnx(network) == network_to_onnx(network)
    assert layer_cam_to_onnx(network) == layer_cam_to_onnx(network)


@pytest.mark.slow
def test_a_graph_has_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    combine([one(), one(filters=[4, 4])], "flip").save(tmp_path / "model.keras")
    code = (
        "import sys, keras; from hashlib import sha256; from darkroom.graphs.convert import network_to_onnx;"
        "from darkroom.graphs.layer_cam import layer_cam_to_onnx;"
        "network = keras.saving.load_model(sys.argv[1]);"
        "print(*(sha256(make(network)).hexdigest() for make in (network_to_onnx, layer_cam_to_onnx)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.keras")]
    paths = {"PYTHONPATH": str(ROOT / "src"), "KERAS_BACKEND": "tensorflow"}
    digests = [
        subprocess.run(command, env=paths | {"PYTHONHASHSEED": seed}, capture_output=True, text=True).stdout
        for seed in ("1", "2")
    ]
    assert len(digests[0].split()) == 2 and digests[0] == digests[1]


def test_keras_serves_what_differs_and_what_cannot_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    network, pixels = one(), np.zeros((1, 16, 16, 3), np.uint8)
    with caplog.at_level(logging.WARNING):
        monkeypatch.setattr(agreement, "LARGEST", -1.0)
        assert write_graphs(tmp_path, network, pixels) == "ONNX Runtime's probabilities differ by more than -1"
        monkeypatch.setattr(agreement, "network_to_onnx", lambda _: b"no graph")
        assert write_graphs(tmp_path, network, pixels) == "the network cannot be exported to ONNX"
    assert not list(tmp_path.iterdir())
    assert all(message.startswith("Keras serves: ") and "\n" not in message for message in caplog.messages)


def test_a_network_without_a_graph_for_its_maps_is_served_without_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = one(filters=[4, 4], pool=[1, 11], head="average")  # a window of 121 pixels
    with caplog.at_level(logging.WARNING):
        assert write_graphs(tmp_path, network, np.zeros((1, 16, 16, 3), np.uint8)) == ""
    assert load_heat_mapper(tmp_path) is None and "no heat maps" in caplog.text
