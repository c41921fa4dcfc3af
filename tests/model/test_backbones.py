import importlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.core.errors import UserError
from darkroom.examples.saving import load_network, save_network
from darkroom.models.architecture import build_network
from darkroom.models.backbone_table import BACKBONES
from darkroom.models.backbones import load_pretrained, to_range, weights_file_digest
from darkroom.params.model import Model
from darkroom.train.fit import Fit, fit
from darkroom.train.phases import Phase, set_trainable
from easy import data, examples, small_params

MODULES = {"ConvNeXt": "convnext", "EfficientNetV2": "efficientnet_v2"}
MODULES |= {"MobileNetV3": "mobilenet_v3", "MobileNetV2": "mobilenet_v2", "MobileNet": "mobilenet", "NASNet": "nasnet"}
MODULES |= {"InceptionV3": "inception_v3", "InceptionResNetV2": "inception_resnet_v2", "Xception": "xception"}
MODULES |= {"DenseNet": "densenet", "VGG16": "vgg16", "VGG19": "vgg19"}


def module_of(name: str) -> str:
    known = [module for start, module in MODULES.items() if name.startswith(start)]
    return known[0] if known else ("resnet_v2" if name.endswith("V2") else "resnet")


@pytest.mark.parametrize("name", BACKBONES)
def test_each_backbone_gets_the_range_that_keras_gives_it(name: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype("float32")
    theirs = importlib.import_module(f"keras.applications.{module_of(name)}").preprocess_input(pixels.copy())
    assert np.allclose(to_range(keras.ops.convert_to_tensor(pixels), BACKBONES[name]), theirs, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    [*(pytest.param(one, marks=pytest.mark.slow) for one in ("ConvNeXtTiny", "EfficientNetV2B0")), "MobileNetV3Small"],
)
def test_one_of_each_family_is_built_and_saved(name: str, tmp_path: Path) -> None:
    params = small_params(model={"architecture": name, "head": "average"}, image={"size": 32}).model
    network = build_network(params, 32, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    answers = np.asarray(network(pixels))
    assert answers.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    save_network(network, tmp_path / "model.keras")
    assert np.array_equal(np.asarray(load_network(tmp_path / "model.keras")(pixels)), answers)


def mobilenet_params(weights: str, **changes: object) -> Model:
    model = {"architecture": "MobileNet", "width": 0.25, "weights": weights, "head": "average", **changes}
    return small_params(model=model, image={"size": 32}).model


def mobilenet(weights: str, **changes: object) -> tuple[keras.Model, Model]:
    params = mobilenet_params(weights, **changes)
    return build_network(params, 32, 3), params


@pytest.fixture(scope="module")
def drawn() -> keras.Model:
    """A MobileNet with the weights that chance gave it: into it, nothing is loaded."""
    return mobilenet("small.weights.h5")[0]


def test_given_weights_are_those_of_the_file(given_weights: Path) -> None:
    network, params = mobilenet("small.weights.h5")
    load_pretrained(network, params, given_weights)
    source = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(64, 64, 3))
    source.load_weights(given_weights / "small.weights.h5")
    pairs = zip(network.get_layer("backbone").get_weights(), source.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_a_file_that_also_holds_an_optimizer_is_taken(given_weights: Path) -> None:
    network, params = mobilenet("compiled.weights.h5")
    source = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(64, 64, 3))
    source.compile("adam", "mse")
    source.optimizer.build(source.trainable_variables)
    source.save_weights(given_weights / "compiled.weights.h5")
    load_pretrained(network, params, given_weights)
    pairs = zip(network.get_layer("backbone").get_weights(), source.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_the_digest_tells_one_file_of_weights_from_another(given_weights: Path, tmp_path: Path) -> None:
    params = mobilenet_params("small.weights.h5")
    (tmp_path / "small.weights.h5").write_bytes(b"others")
    digests = {weights_file_digest(params, folder) for folder in (given_weights, tmp_path, tmp_path / "nowhere")}
    assert len(digests) == 3 and weights_file_digest(mobilenet_params("none"), given_weights) == ""


@pytest.mark.parametrize(
    ("weights", "changes", "said"),
    [
        ("gone.h5", {}, r"gone.h5: not found in data/weights/ \(there are small.weights.h5\); put the file there"),
        (
            "small.weights.h5",
            {"width": 0.5},
            "does not fit MobileNet of width 0.5: it holds 218,544 numbers for"
            ".*or the architecture and width that the file is of",
        ),
        ("small.weights.h5", {"architecture": "MobileNetV2"}, r"does not fit MobileNetV2 of width 0.25.*no_top"),
        ("text.h5", {}, r"text.h5: not an HDF5 file of weights \(.*download it again"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    given_weights: Path, drawn: keras.Model, weights: str, changes: dict[str, Any], said: str
) -> None:
    (given_weights / "text.h5").write_text("no weights")
    if weights == "gone.h5":
        (given_weights / "text.h5").unlink()
    params = mobilenet_params(weights, **changes)
    network = build_network(params, 32, 3) if changes else drawn
    with pytest.raises(UserError, match=said) as raised:
        load_pretrained(network, params, given_weights)
    assert "\n" not in str(raised.value)


def test_imagenets_weights_are_those_that_keras_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    network, params = mobilenet("imagenet")
    build, asked = keras.applications.MobileNet, []

    def give(**options: object) -> keras.Model:
        asked.append(options.pop("weights"))
        return build(weights=None, **options)

    monkeypatch.setattr(keras.applications, "MobileNet", give)
    keras.utils.set_random_seed(7)
    load_pretrained(network, params, Path())
    keras.utils.set_random_seed(7)
    expected = build(weights=None, alpha=0.25, include_top=False, input_shape=(32, 32, 3)).get_weights()
    assert asked == ["imagenet"]
    assert all(map(np.array_equal, network.get_layer("backbone").get_weights(), expected))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Exception("URL fetch failure on https://example.org/a.h5"), r"MobileNet could not be downloaded \(URL fetch"),
        (Exception("none"), r"without internet put their no_top file into data/weights/ and give its name"),
        (
            ValueError("If imagenet weights\nare being loaded, alpha"),
            r"model.weights = imagenet: If imagenet weights are",
        ),
    ],
)
def test_why_imagenets_weights_cannot_be_had_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, drawn: keras.Model, error: Any, said: str
) -> None:

    def fail(**_: object) -> keras.Model:
        raise error

    monkeypatch.setattr(keras.applications, "MobileNet", fail)
    with pytest.raises(UserError, match=said) as raised:
        load_pretrained(drawn, mobilenet_params("imagenet"), Path())
    assert "\n" not in str(raised.value)


RATES = [
    1.0 * (1 + np.cos(np.pi * 5 / 12)) / 2,
    0.01 * (1 + np.cos(np.pi * 5 / 12)) / 2,
]  # 12 steps, after the sixth


def trained_from_file(folder: Path, epochs: int) -> Fit:
    """Train a MobileNet from the weights of `folder`: two epochs frozen, `epochs` with its last ten layers."""
    model = {"architecture": "MobileNet", "width": 0.25, "weights": "small.weights.h5", "head": "average"}
    train = {
        "epochs": 2,
        "keep": "last",
        "schedule": "cosine",
        "learning_rate": 1.0,
    }  # so much that fine-tuning mends it
    finetune = {"epochs": epochs, "layers": 10, "learning_rate": 0.01}
    params = small_params(model=model, image={"size": 32}, train=train, finetune=finetune)
    return fit(data(side=32), params, folder)


@pytest.mark.slow  # the next tests see what is frozen and what moves, without a training
@pytest.mark.parametrize("epochs", [0, 2])
def test_a_training_from_given_weights_keeps_them_frozen_and_then_moves_the_last_layers(
    given_weights: Path, epochs: int
) -> None:
    network, _ = mobilenet("small.weights.h5")
    backbone = network.get_layer("backbone")
    backbone.load_weights(given_weights / "small.weights.h5")
    last = {id(weight) for layer in backbone.layers[-10:] for weight in layer.weights}
    free = {
        id(w) for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization) for w in layer.weights
    }
    fitted = trained_from_file(given_weights, epochs)
    trained = fitted.network.get_layer("backbone").get_weights()
    moved = [not np.array_equal(one, now) for one, now in zip(backbone.weights, trained, strict=True)]
    assert moved == [bool(epochs) and id(weight) in last - free for weight in backbone.weights]
    assert fitted.history["learning_rate"].iloc[::2].tolist() == pytest.approx(RATES[: 1 + epochs // 2], rel=0.01)
    assert len(fitted.history) == 2 + epochs


def test_a_wrong_layer_is_said_before_anything_is_trained(given_weights: Path) -> None:
    seen = []
    model = {"architecture": "MobileNet", "width": 0.25, "weights": "small.weights.h5", "head": "average"}
    params = small_params(model=model, image={"size": 32}, finetune={"epochs": 1, "layers": "conv_13"})
    with pytest.raises(UserError, match="did you mean conv"):
        fit(data(side=32), params, given_weights, log=lambda *numbers: seen.append(numbers))
    assert not seen


def test_the_layers_of_a_second_network_have_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"architecture": "MobileNetV3Small", "weights": "none", "head": "average", "dense": []}
    params = small_params(model=model, image={"size": 32})
    names = []

    def stop(network: keras.Model, phase: Phase) -> None:  # noqa: ARG001
        names.append([layer.name for layer in network.get_layer("backbone").layers])
        raise InterruptedError  # training it would take a minute

    monkeypatch.setattr("darkroom.train.fit.set_trainable", stop)
    for _ in range(2):
        with pytest.raises(InterruptedError):
            fit({"train": examples(2, 1, side=32)}, params)
    assert names[0] == names[1] and "re_lu" in names[0]  # a name that Keras counts


@pytest.mark.parametrize(("layers", "count"), [(0, 0), (3, 3), ("conv_pw_13", 3), (10_000, 86)])
def test_the_last_layers_are_trained_and_no_normalisation(drawn: keras.Model, layers: int | str, count: int) -> None:
    set_trainable(drawn, Phase(2, 1, 0.1, layers))
    backbone = drawn.get_layer("backbone").layers
    trained = [layer for layer in backbone if layer.trainable]
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in trained)
    normalisations = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in backbone[-count:] if count)
    assert len(trained) == count - normalisations


def test_a_layer_that_is_not_there_is_said(drawn: keras.Model) -> None:
    with pytest.raises(UserError, match=r"finetune.layers = 'conv_13': .* did you mean conv"):
        set_trainable(drawn, Phase(2, 1, 0.1, "conv_13"))


@pytest.fixture(scope="module")
def stochastic() -> keras.Model:
    """A network whose backbone has stochastic depth in its blocks."""
    model = {"architecture": "EfficientNetV2B0", "weights": "given.h5", "head": "average", "dense": [], "dropout": 0.0}
    return build_network(small_params(model=model, image={"size": 32}).model, 32, 3)


@pytest.mark.parametrize(("layers", "live"), [(0, False), (20, True), (10_000, True)])
def test_stochastic_depth_is_live_in_what_is_fine_tuned_and_statistics_stay(
    stochastic: keras.Model, layers: int, live: bool
) -> None:
    set_trainable(stochastic, Phase(1, 1, 0.1, layers))
    backbone = stochastic.get_layer("backbone")
    before = backbone.get_weights()
    statistics = [number for number, weight in enumerate(backbone.weights) if "moving" in weight.name]
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 32, 3)).astype("float32")
    first, second = (np.asarray(stochastic(pixels, training=True)) for _ in range(2))
    assert np.array_equal(first, second) is not live
    after = backbone.get_weights()
    assert statistics and all(np.array_equal(before[number], after[number]) for number in statistics)
    answers = [np.asarray(stochastic(pixels, training=False)) for _ in range(2)]
    assert np.array_equal(answers[0], answers[1])


def test_a_frozen_part_drops_nothing(stochastic: keras.Model) -> None:
    set_trainable(stochastic, Phase(2, 1, 0.1, 20))
    backbone = stochastic.get_layer("backbone")
    dropping = [layer for layer in backbone.layers if isinstance(layer, keras.layers.Dropout)]
    ones = np.ones((64, 1, 1, 2), np.float32)
    live = [bool((np.asarray(layer(ones, training=True)) != ones).any()) for layer in dropping]
    assert live == [layer.trainable for layer in dropping] and set(live) == {True, False}
