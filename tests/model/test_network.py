import keras
import numpy as np
import pytest

from darkroom.models.architecture import build_network
from darkroom.params.schema import Model

PARAMS = Model(filters=[4, 8], kernel=3, dense=[16, 5], dropout=0.3)
BLOCK = ["conv{0}", "conv{0}_norm", "pool{0}"]
DENSE = ["dense{0}", "dense{0}_norm", "dropout{0}"]


def layer_names(params: Model) -> list[str]:
    blocks = [name.format(number + 1) for number in range(len(params.filters)) for name in BLOCK]
    dense = [name.format(number + 1) for number in range(len(params.dense)) for name in DENSE]
    return ["pixels", "scale", *blocks, "flatten", *dense, "probabilities"]


def parameter_count(params: Model, size: int, classes: int) -> int:
    """Count by hand: weights and bias of each layer, four numbers a channel for each normalisation."""
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
def test_the_network_has_the_layers_of_params(params, size, classes):
    network = build_network(params, size, classes)
    assert [layer.name for layer in network.layers] == layer_names(params)
    assert network.count_params() == parameter_count(params, size, classes)
    assert network.input_shape == (None, size, size, 3) and network.output_shape == (None, classes)
    assert [layer.rate for layer in network.layers if "dropout" in layer.name] == [0.3] * len(params.dense)
    assert {layer.kernel_size for layer in network.layers if hasattr(layer, "kernel_size")} == {(params.kernel,) * 2}


def test_answers_are_probabilities_of_raw_pictures():
    network = build_network(PARAMS, 8, 4)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
    answers = np.asarray(network(pixels))
    assert answers.shape == (5, 4) and answers.dtype == np.float32
    assert (answers >= 0).all() and answers.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert np.allclose(answers, np.asarray(network(pixels.astype("float32"))), atol=1e-6)


def test_values_are_scaled_within_the_network():
    network = build_network(PARAMS, 8, 2)
    scale = keras.Model(network.input, network.get_layer("scale").output)
    assert np.asarray(scale(np.full((1, 8, 8, 3), 255, np.uint8))).max() == pytest.approx(1)


def test_the_seed_decides_the_first_weights():
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        weights.append(build_network(PARAMS, 8, 3).get_weights())
    assert all(np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])
