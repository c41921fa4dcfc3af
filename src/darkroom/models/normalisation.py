"""Batch normalisation; the one place that knows an operation of TensorFlow's own."""

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


def _fused_layer() -> Any:
    """Return the class of a layer that trains as Keras's BatchNormalization does, in one operation."""
    import keras

    class FusedBatchNormalization(keras.layers.BatchNormalization):
        """Keras's layer with another `call` for maps (n, height, width, channels) while training."""

        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            """Return the normalised maps."""
            if not training or not self.trainable or len(inputs.shape) != 4:
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
