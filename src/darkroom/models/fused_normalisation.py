"""Batch normalisation in TensorFlow's one operation; imported where a network for training is built."""

from typing import Any

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Trains as Keras's BatchNormalization does, maps (n, height, width, channels) in one operation."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised maps."""
        if not training or not self.trainable or self.synchronized or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        maps, mean, variance = self._normalised(inputs)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return maps

    def _normalised(self, inputs: Any) -> tuple[Any, Any, Any]:
        """Return the normalised maps, and mean and biased variance (channels,) of `inputs`.

        Keras computes them in separate operations, in float32; TensorFlow's one takes bfloat16 too.
        """
        gamma = self.gamma.value if self.scale else tf.ones([inputs.shape[-1]])
        result = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(gamma, tf.float32),
            offset=tf.cast(self.beta.value, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        # the operation gives the unbiased variance, Keras keeps the biased one
        return result.y, result.batch_mean, result.batch_variance * (count - 1) / count
