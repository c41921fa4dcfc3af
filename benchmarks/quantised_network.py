"""A network that computes with kernels and activations of 8 bits while it is trained."""

from collections.abc import Iterator
from typing import Any

Network = Any  # a keras.Model, whose import takes seconds


def rounded(kernel: Any) -> Any:
    """Return a kernel rounded to 8 bits, with a scale for each output; of a depthwise one for each channel."""
    import tensorflow as tf

    depthwise = len(kernel.shape) == 4 and kernel.shape[3] == 1 and kernel.shape[2] > 1
    others = [0, 1] if depthwise else list(range(len(kernel.shape) - 1))
    scale = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=others, keepdims=True) / 127, 1e-12)
    return tf.round(kernel / scale) * scale


def rounding_activations(network: Network) -> Network:
    """Return a network of the same layers whose activations are rounded to 8 bits, between the extremes of a batch."""
    import keras
    import tensorflow as tf

    class Rounded(keras.layers.Layer):
        def call(self, values: Any) -> Any:
            low, high = (tf.stop_gradient(extreme(values)) for extreme in (tf.reduce_min, tf.reduce_max))
            return tf.quantization.fake_quant_with_min_max_vars(values, tf.minimum(low, 0.0), tf.maximum(high, 1e-6))

    names = stored_layers(network)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        answer = layer(*args, **kwargs)
        return Rounded()(answer) if layer.name in names else answer

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call, recursive=True)


def stored_layers(network: Network) -> set[str]:
    """Return the names of the layers whose answers an integer network stores.

    A convolution, its normalisation and its ReLU are one operation there, so that only the last one's answer is stored.
    """
    from keras import layers

    every = list(layers_of(network))
    into = {id(layer.input) for layer in every if isinstance(layer, (layers.BatchNormalization, layers.ReLU))}
    kinds = (
        *(layers.Rescaling, layers.Conv2D, layers.Dense, layers.BatchNormalization),
        *(layers.ReLU, layers.Activation, layers.Add, layers.GlobalAveragePooling2D),
    )
    found = {
        layer.name for layer in every if isinstance(layer, kinds) and not (_linear(layer) and id(layer.output) in into)
    }
    return found - {"probabilities"}


def layers_of(network: Network) -> Iterator[Any]:
    """Yield all layers, those of networks within the network too."""
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def _linear(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return activation is None or activation.__name__ == "linear"
