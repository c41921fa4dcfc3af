"""Batch normalisation and GELU, done in one operation while training; the one place that knows TensorFlow's own."""

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
        return _fused_layer()(**options)
    return keras.layers.BatchNormalization(**options)


def synchronise(network: "keras.Model") -> None:
    """Let all normalisations of `network` take mean and variance over the shares of all devices."""
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.Model):
            synchronise(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
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

    @tf.custom_gradient
    def compiled(x: Any) -> Any:
        return forward(x), lambda upstream: backward(x, upstream)

    return compiled


def _fused_layer() -> Any:
    """Return the class of a layer that trains as Keras's BatchNormalization does, in one operation."""
    import keras

    class FusedBatchNormalization(keras.layers.BatchNormalization):
        """Keras's layer with another `call` for maps (n, height, width, channels) while training."""

        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            """Return the normalised maps."""
            if not training or not self.trainable or self.synchronized or len(inputs.shape) != 4:
                return super().call(inputs, training=training, mask=mask)
            maps, mean, variance = _fused(self, inputs)
            for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                average.assign(average * self.momentum + value * (1 - self.momentum))
            return maps

    return FusedBatchNormalization


def _fused(layer: "keras.layers.BatchNormalization", inputs: Any) -> tuple[Any, Any, Any]:
    """Return the normalised maps, and mean and biased variance (channels,) of `inputs`.

    Keras computes them in separate operations, in float32; TensorFlow's one takes bfloat16 too.
    """
    import tensorflow as tf

    gamma = layer.gamma.value if layer.scale else tf.ones([inputs.shape[-1]])
    result = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(gamma, tf.float32),
        offset=tf.cast(layer.beta.value, tf.float32),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
    # the operation gives the unbiased variance, Keras keeps the biased one
    return result.y, result.batch_mean, result.batch_variance * (count - 1) / count
