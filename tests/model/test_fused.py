"""What is fused against Keras's own."""

from typing import Any

import keras
import numpy as np
import pytest

from darkroom.models.fused import gelu, normalisation

MAPS = np.random.default_rng(0).normal(3, 5, (16, 6, 6, 4)).astype("float32")


def trained(fused: bool, **options: object) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Return the layer's result while training, its weights after it, and the gradient of its input."""
    import tensorflow as tf

    layer = normalisation(fused, **options)
    inputs = tf.constant(MAPS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(result))
    return np.asarray(result), layer.get_weights(), np.asarray(tape.gradient(loss, inputs))


@pytest.mark.parametrize("options", [{}, {"momentum": 0.6, "epsilon": 1e-5, "scale": False}])
def test_it_trains_as_keras_does(options: dict[str, Any]) -> None:
    fused, plain = trained(True, **options), trained(False, **options)
    assert np.allclose(fused[0], plain[0], atol=1e-5)
    assert all(np.allclose(one, other, rtol=1e-5) for one, other in zip(fused[1], plain[1], strict=True))
    assert np.allclose(fused[2], plain[2], atol=1e-5)


def test_it_is_keras_layer_when_it_answers_and_when_frozen() -> None:
    layer = normalisation(True)
    layer(MAPS, training=True)
    plain = normalisation(False)
    plain.build(MAPS.shape)
    plain.set_weights(layer.get_weights())
    assert np.array_equal(layer(MAPS, training=False), plain(MAPS, training=False))
    layer.trainable = False
    before = layer.get_weights()
    layer(MAPS, training=True)
    assert all(np.array_equal(one, other) for one, other in zip(layer.get_weights(), before, strict=True))


def test_without_fusing_it_is_keras_own() -> None:
    assert type(normalisation(False)) is keras.layers.BatchNormalization


@pytest.mark.parametrize(("precision", "near"), [("float32", 1e-6), ("bfloat16", 0.02)])
def test_the_compiled_activation_is_that_of_keras(precision: str, near: float) -> None:
    import tensorflow as tf

    inputs = tf.cast(np.linspace(-6, 6, 4096, dtype="float32").reshape(4, 8, 8, 16), precision)
    found = []
    for fused in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            result = gelu(fused, "active")(inputs)
        found.append([np.asarray(one, "float32") for one in (result, tape.gradient(result, inputs))])
    assert np.allclose(found[0], found[1], atol=near)
    assert gelu(True, "active").activation is not gelu(False, "active").activation
