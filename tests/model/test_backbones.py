import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from darkroom.errors import UserError
from darkroom.models.architecture import build_network
from darkroom.models.backbones import given_digest, load_pretrained, to_range
from darkroom.models.saving import load_network, save_network
from darkroom.params.model import BACKBONES
from darkroom.training.phases import Phase, set_trainable
from easy import small_params

MODULES = {"ConvNeXt": "convnext", "EfficientNetV2": "efficientnet_v2"}
MODULES |= {"MobileNetV3": "mobilenet_v3", "MobileNetV2": "mobilenet_v2", "MobileNet": "mobilenet", "NASNet": "nasnet"}
MODULES |= {"InceptionV3": "inception_v3", "InceptionResNetV2": "inception_resnet_v2", "Xception": "xception"}
MODULES |= {"DenseNet": "densenet", "VGG16": "vgg16", "VGG19": "vgg19"}


def module_of(name: str) -> str:
    known = [module for start, module in MODULES.items() if name.startswith(start)]
    return known[0] if known else ("resnet_v2" if name.endswith("V2") else "resnet")


@pytest.mark.parametrize("name", BACKBONES)
def test_each_backbone_gets_the_range_that_keras_gives_it(name):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype("float32")
    theirs = importlib.import_module(f"keras.applications.{module_of(name)}").preprocess_input(pixels.copy())
    assert np.allclose(to_range(keras.ops.convert_to_tensor(pixels), BACKBONES[name]), theirs, atol=1e-4)


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetV2B0", "MobileNetV3Small"])
def test_one_of_each_family_is_built_and_saved(name, tmp_path):
    params = small_params(model={"architecture": name, "head": "average"}, image={"size": 32}).model
    network = build_network(params, 32, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    answers = np.asarray(network(pixels))
    assert answers.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    save_network(network, tmp_path / "model.keras")
    assert np.array_equal(np.asarray(load_network(tmp_path / "model.keras")(pixels)), answers)


def mobilenet(weights: str, **changes: object) -> tuple[keras.Model, object]:
    model = {"architecture": "MobileNet", "width": 0.25, "weights": weights, "head": "average", **changes}
    params = small_params(model=model, image={"size": 32}).model
    return build_network(params, 32, 3), params


def test_given_weights_are_those_of_the_file(given_weights):
    network, params = mobilenet("small.weights.h5")
    load_pretrained(network, params, given_weights)
    source = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(64, 64, 3))
    source.load_weights(given_weights / "small.weights.h5")
    pairs = zip(network.get_layer("backbone").get_weights(), source.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_the_digest_tells_one_file_of_weights_from_another(given_weights, tmp_path):
    params = mobilenet("small.weights.h5")[1]
    (tmp_path / "small.weights.h5").write_bytes(b"others")
    digests = {given_digest(params, folder) for folder in (given_weights, tmp_path, tmp_path / "nowhere")}
    assert len(digests) == 3 and given_digest(mobilenet("none")[1], given_weights) == ""


@pytest.mark.parametrize(
    ("weights", "changes", "said"),
    [
        ("gone.h5", {}, r"gone.h5: not found in data/weights/ \(there are small.weights.h5\); put the file there"),
        ("small.weights.h5", {"width": 0.5}, r"does not fit MobileNet of width 0.5: it holds 218,544 numbers for"),
        ("small.weights.h5", {"architecture": "MobileNetV2"}, r"does not fit MobileNetV2 of width 0.25.*no_top"),
        ("text.h5", {}, r"text.h5: does not fit MobileNet of width 0.25 \("),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(given_weights: Path, weights, changes, said):
    (given_weights / "text.h5").write_text("no weights")
    if weights == "gone.h5":
        (given_weights / "text.h5").unlink()
    network, params = mobilenet(weights, **changes)
    with pytest.raises(UserError, match=said) as raised:
        load_pretrained(network, params, given_weights)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("layers", "count"), [(0, 0), (3, 3), ("conv_pw_13", 3), (10_000, 86)])
def test_the_last_layers_are_trained_and_no_normalisation(layers, count):
    network, _ = mobilenet("small.weights.h5")
    set_trainable(network, Phase(2, 1, 0.1, layers))
    backbone = network.get_layer("backbone").layers
    trained = [layer for layer in backbone if layer.trainable]
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in trained)
    normalisations = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in backbone[-count:] if count)
    assert len(trained) == count - normalisations


def test_a_layer_that_is_not_there_is_said():
    network, _ = mobilenet("small.weights.h5")
    with pytest.raises(UserError, match=r"finetune.layers = 'conv_13': .* did you mean conv"):
        set_trainable(network, Phase(2, 1, 0.1, "conv_13"))
