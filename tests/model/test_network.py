from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from darkroom.core.errors import UserError
from darkroom.models.architecture import build_network
from darkroom.models.backbone_table import BACKBONES
from darkroom.models.residual import start_residual, whitening
from darkroom.params.model import Model
from easy import model_params

PARAMS = model_params(filters=[4, 8], dense=[16, 5], dropout=0.3)
BLOCK = ["conv{0}", "conv{0}_norm", "pool{0}"]
DENSE = ["dense{0}", "dense{0}_norm", "dropout{0}"]


def layer_names(params: Model) -> list[str]:
    blocks = [name.format(number + 1) for number in range(len(params.filters)) for name in BLOCK]
    dense = [name.format(number + 1) for number in range(len(params.dense)) for name in DENSE]
    return ["pixels", "scale", *blocks, "flatten", *dense, "probabilities"]


def parameter_count(params: Model, size: int, classes: int) -> int:
    """Count by hand: weights and bias of each layer, four numbers a channel for each normalisation."""
    assert isinstance(params.kernel, int)
    count, channels = 0, 3
    for filters in params.filters:
        count += params.kernel**2 * channels * filters + filters + 4 * filters
        size, channels = size // 2, filters
    inputs = size * size * channels
    for units in params.dense:
        count += inputs * units + units + 4 * units
        inputs = units
    return count + inputs * classes + classes


@pytest.mark.parametrize(
    ("params", "size", "classes"),
    [
        (PARAMS, 16, 3),
        (PARAMS.model_copy(update={"filters": [2, 2, 2], "kernel": 5, "dense": []}), 11, 2),
        (PARAMS.model_copy(update={"filters": [1], "kernel": 1, "dense": [7]}), 4, 10),
    ],
)
def test_the_network_has_the_layers_of_params(params: Any, size: int, classes: int) -> None:
    network = build_network(params, size, classes)
    assert [layer.name for layer in network.layers] == layer_names(params)
    assert network.count_params() == parameter_count(params, size, classes)
    assert network.input_shape == (None, size, size, 3) and network.output_shape == (None, classes)
    assert [layer.rate for layer in network.layers if "dropout" in layer.name] == [0.3] * len(params.dense)
    assert {layer.kernel_size for layer in network.layers if hasattr(layer, "kernel_size")} == {(params.kernel,) * 2}


def described(network: keras.Model) -> list[tuple[str, int]]:
    """Return (class, weights) of each layer that has a part in it."""
    skipped = ("InputLayer", "Rescaling", "Flatten")
    rows = [(type(layer).__name__, layer.count_params()) for layer in network.layers]
    return [row for row in rows if row[0] not in skipped]


def test_the_base_network_of_ten_animals_by_its_published_counts() -> None:
    params = model_params(filters=[32, 64], padding="valid", norm="none", dense=[128], dense_norm=False, dropout=0.0)
    assert described(build_network(params, 100, 10)) == [
        ("Conv2D", 896),
        ("MaxPooling2D", 0),
        ("Conv2D", 18_496),
        ("MaxPooling2D", 0),
        ("Dense", 4_333_696),
        ("Dense", 1_290),
    ]


def test_normalisation_behind_the_pool() -> None:
    params = model_params(filters=[32, 64], norm="after_pool", dense=[128], dense_norm=False, dropout=0.0)
    kinds = [kind for kind, _ in described(build_network(params, 32, 10))]
    assert kinds == ["Conv2D", "MaxPooling2D", "BatchNormalization"] * 2 + ["Dense", "Dense"]


def test_two_classes_by_one_sigmoid_and_spatial_dropout() -> None:
    params = model_params(filters=[32, 16], kernel=[3, 2], stride=[1, 2], pool=[2, 3], norm="none")
    params = params.model_copy(update={"block_dropout": 0.2, "drop_maps": True, "dense": [64], "dense_norm": False})
    network = build_network(params.model_copy(update={"output": "sigmoid", "dropout": 0.1}), 64, 2)
    kinds = [kind for kind, _ in described(network)]
    assert kinds[:8] == ["Conv2D", "MaxPooling2D", "SpatialDropout2D"] * 2 + ["Dense", "Dropout"]
    assert network.get_layer("second_class").count_params() == 65
    assert network.get_layer("conv2").kernel_size == (2, 2) and network.get_layer("conv2").strides == (2, 2)
    assert network.get_layer("pool2").pool_size == (3, 3)
    answers = np.asarray(network(np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)))
    assert answers.shape == (5, 2) and answers.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)


def test_one_sigmoid_learns_from_pictures_that_it_is_wrong_about() -> None:
    network = build_network(model_params(output="sigmoid"), 8, 2)
    second, wrong = network.get_layer("second_class"), np.array([[1.0, 0.0]], np.float32)
    second.kernel.assign(keras.ops.zeros_like(second.kernel))
    for logit in (1.5, 20.0):
        second.bias.assign([logit])
        with tf.GradientTape() as tape:
            answer = network(np.zeros((1, 8, 8, 3), np.uint8))
            loss = keras.losses.CategoricalCrossentropy()(wrong, answer)
        sigmoid = 1 / (1 + np.exp(-logit))
        assert float(answer[0, 1]) == pytest.approx(sigmoid, abs=1e-6)
        assert float(tape.gradient(loss, second.bias.value)[0]) == pytest.approx(sigmoid, rel=1e-4)


def test_one_sigmoid_is_for_two_classes() -> None:
    with pytest.raises(UserError, match=r"model.output = sigmoid: is for two classes, these are 3; set it to softmax"):
        build_network(model_params(output="sigmoid"), 8, 3)


def test_global_average_pooling_in_place_of_flatten() -> None:
    params = model_params(filters=[32, 64, 128], head="average", dense=[256], dense_norm=False, dropout=0.5)
    network = build_network(params, 224, 5)
    assert network.get_layer("average").output.shape == (None, 128)
    assert network.get_layer("dense1").count_params() == 128 * 256 + 256


@pytest.mark.parametrize(("depth", "adds"), [(1, 0), (2, 0), (3, 2)])
def test_the_residual_network(depth: int, adds: int) -> None:
    params = model_params(architecture="residual", filters=[8, 16], depth=depth, head="max", dense=[])
    network = build_network(params, 32, 10)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("Conv2D") == 1 + 2 * depth and kinds.count("Add") == adds
    assert network.get_layer("whiten").kernel.shape == (2, 2, 3, 24)


@pytest.mark.parametrize(("stem", "maps", "sides"), [(1, 24, (31, 15, 7)), (2, 48, (15, 7, 3)), (4, 48, (7, 3, 1))])
def test_the_stem_of_a_residual_network(stem: int, maps: int, sides: tuple[int, ...]) -> None:
    params = model_params(architecture="residual", stem=stem, filters=[8, 16], head="average", dense=[])
    network = build_network(params, 32, 3)
    assert network.get_layer("whiten").kernel.shape == (2 * stem, 2 * stem, 3, maps)
    names = ("whiten", "block1_pool", "block2_pool")
    assert tuple(network.get_layer(name).output.shape[1] for name in names) == sides
    least = params.smallest_side()
    assert build_network(params, least, 3).get_layer("block2_pool").output.shape[1] == 1
    with pytest.raises(ValueError, match="zero"):
        build_network(params, least - 1, 3)


def test_the_first_layer_whitens_patches() -> None:
    chance = np.random.default_rng(0)
    pixels = (chance.random((25, 16, 16, 1)) * 200 + chance.random((25, 16, 16, 3)) * 50).astype(np.uint8)
    kernel = whitening(pixels)[..., :12]
    patches = keras.ops.conv(pixels / np.float32(127.5) - 1, kernel)
    spread = np.cov(np.asarray(patches).reshape(-1, 12), rowvar=False)
    assert np.allclose(spread, np.eye(12), atol=0.1)  # colours are alike, so some directions are nearly quiet
    assert np.array_equal(whitening(pixels)[..., 12:], -kernel)


def test_a_strided_first_layer_whitens_the_directions_of_most_variance() -> None:
    chance = np.random.default_rng(0)
    rough = chance.integers(0, 256, (200, 17, 17, 3)).repeat(2, axis=1).repeat(2, axis=2)  # 27 directions in a patch
    pixels = np.clip(rough[:, 1:33, 1:33] + chance.integers(-3, 4, (200, 32, 32, 3)), 0, 255).astype(np.uint8)
    kernel = whitening(pixels, stem=2)
    assert kernel.shape == (4, 4, 3, 48) and np.array_equal(kernel[..., 24:], -kernel[..., :24])
    patches = np.asarray(keras.ops.conv(pixels / np.float32(127.5) - 1, kernel[..., :24], 2))
    spread = np.cov(patches.reshape(-1, 24), rowvar=False)
    assert np.allclose(spread, np.eye(24), atol=0.02)


def test_a_residual_network_starts_with_layers_that_copy_what_comes_in() -> None:
    params = model_params(architecture="residual", filters=[32, 16], depth=2, head="max", dense=[])
    network = build_network(params, 32, 10)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
    start_residual(network, pixels)
    whitened, first = (network.get_layer(name).output for name in ("whitened", "block1_conv1"))
    into, out = map(np.asarray, keras.Model(network.input, [whitened, first])(pixels))
    assert np.allclose(out[..., :24], into, atol=1e-5) and not np.allclose(out[..., 24:], 0)
    fewer = keras.Model(network.get_layer("block1_active2").output, network.get_layer("block2_conv1").output)
    maps = np.random.default_rng(1).normal(size=(2, 15, 15, 32)).astype(np.float32)
    assert np.allclose(np.asarray(fewer(maps)), maps[..., :16], atol=1e-5)


def test_a_network_with_a_stem_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    params = model_params(architecture="residual", stem=4, filters=[8, 8], depth=3, head="average", dense=[])
    network = build_network(params, 24, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 24, 24, 3), np.uint8)
    start_residual(network, pixels)
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(np.asarray(loaded(pixels)), np.asarray(network(pixels)))
    assert np.array_equal(loaded.get_layer("whiten").kernel, whitening(pixels[:3], stem=4))  # a sixteenth of them


@pytest.mark.parametrize("fused", [False, True])
def test_every_kind_gives_probabilities_of_raw_pictures(fused: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    for changes in ({}, {"architecture": "residual"}, {"architecture": "MobileNet", "width": 0.25, "head": "average"}):
        network = build_network(model_params(**changes), 32, 4, fused)
        answers = np.asarray(network(pixels))
        assert answers.shape == (5, 4) and answers.dtype == np.float32
        assert (answers >= 0).all() and answers.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)
        assert np.allclose(answers, np.asarray(network(pixels.astype("float32"))), atol=1e-6)


def test_values_are_scaled_within_the_network() -> None:
    network = build_network(PARAMS, 8, 2)
    scale = keras.Model(network.input, network.get_layer("scale").output)
    assert np.asarray(scale(np.full((1, 8, 8, 3), 255, np.uint8))).max() == pytest.approx(1)


def test_the_seed_decides_the_first_weights() -> None:
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        weights.append(build_network(PARAMS, 8, 3).get_weights())
    assert all(np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_every_backbone_of_keras_is_known() -> None:
    known = {name for name in dir(keras.applications) if name[0].isupper()}
    left_out = {f"EfficientNetB{number}" for number in range(8)}  # params.model says why
    assert known - left_out == set(BACKBONES)
