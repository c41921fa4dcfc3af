"""Batch normalisation and GELU, done in one operation while training."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

MOMENTUM = 0.9  # Keras's 0.99 needs some 500 steps to settle; a small data set has 20 an epoch


def normalisation(fused: bool, **options: Any) -> "keras.layers.Layer":
    """Return a batch normalisation, the fused one where asked for and the backend is TensorFlow."""
    import keras

    options = {"momentum": MOMENTUM, **options}
    if fused and keras.config.backend() == "tensorflow":
        from darkroom.models.fused_normalisation import FusedBatchNormalization

        return FusedBatchNormalization(**options)
    return keras.layers.BatchNormalization(**options)


def normalisations(network: "keras.Model") -> "Iterator[keras.layers.BatchNormalization]":
    """Yield the batch normalisations of a network, those of a backbone within it too."""
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from normalisations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def synchronise(network: "keras.Model") -> None:
    """Let all normalisations of `network` take mean and variance over the shares of all devices."""
    for layer in normalisations(network):
        layer.synchronized = True


def gelu(fused: bool, name: str) -> "keras.layers.Layer":
    """Return the activation GELU, compiled where asked for and TensorFlow computes on a processor.

    There its operations, one after the other, take as long as the convolutions; compiled they take little more than
    ReLU. D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016 (arXiv:1606.08415).
    """
    import keras

    return keras.layers.Activation(_compiled_gelu() if fused and _on_processor() else "gelu", name=name)


def _on_processor() -> bool:
    import keras

    if keras.config.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


@cache
def _compiled_gelu() -> Any:
    """Return the function, and its gradient, as XLA compiles them; it is slow in bfloat16, so float32 is within."""
    import tensorflow as tf

    def plain(x: Any) -> Any:
        return tf.cast(tf.nn.gelu(tf.cast(x, tf.float32)), x.dtype)

    def slope(x: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = plain(x)
        return tape.gradient(result, x, upstream)

    forward, backward = (tf.function(one, jit_compile=True) for one in (plain, slope))

    def compiled(x: Any) -> Any:
        return forward(x), lambda upstream: backward(x, upstream)

    return tf.custom_gradient(compiled)
