"""Where a network sees the class: Layer-CAM."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.models.features import members_of
from darkroom.models.maps import map_model

if TYPE_CHECKING:
    import keras

Mapper = Callable[[np.ndarray, np.ndarray, int], np.ndarray]  # pixels, classes, batch size -> heat maps


def heat_mapper(network: "keras.Model") -> Mapper:
    """Return what makes heat maps of a network, traced once, however often it is called.

    Of pictures (n, side, side, 3) uint8, `classes` (n,) and a batch size it makes (n, side, side) float32, 0-1. A map
    is Layer-CAM's: each place's activations times what of their gradients is positive, summed over channels, what
    of that is positive, divided by its maximum, scaled up. 0 where nothing speaks for the class. That of an ensemble is
    the mean of its members'. P.-T. Jiang et al., LayerCAM: Exploring hierarchical class activation maps for
    localization, IEEE Transactions on Image Processing, 2021.
    """
    traced = [_layer_cam(map_model(member)) for member in members_of(network)]

    def make(pixels: np.ndarray, classes: np.ndarray, batch_size: int) -> np.ndarray:
        side, heat = pixels.shape[1], np.zeros(pixels.shape[:3], np.float32)
        for start in range(0, len(pixels), batch_size):
            part = slice(start, start + batch_size)
            batch = pixels[part].astype(np.float32), classes[part].astype(np.int32)
            for layer_cam in traced:
                heat[part] += [_enlarged(small, side) / len(traced) for small in layer_cam(*batch).numpy()]
        return heat

    return make


def _layer_cam(model: "keras.Model") -> Any:
    """Return what makes of pixels (n, side, side, 3) and classes (n,) the maps (n, h, w), float32, 0-1."""
    import tensorflow as tf

    def make(pixels: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(pixels)  # what is behind a frozen layer would else have no gradient
            maps, logits = model(pixels, training=False)
            score = tf.gather(logits, classes, batch_dims=1)
        gradient = tape.gradient(score, maps)
        heat = tf.nn.relu(tf.reduce_sum(tf.cast(tf.nn.relu(gradient) * maps, tf.float32), axis=-1))
        return tf.math.divide_no_nan(heat, tf.reduce_max(heat, axis=(1, 2), keepdims=True))

    shape = (None, *model.input_shape[1:])
    signature = [tf.TensorSpec(shape, tf.float32), tf.TensorSpec((None,), tf.int32)]
    return tf.function(make, input_signature=signature, autograph=False)


def _enlarged(small: np.ndarray, side: int) -> np.ndarray:
    import cv2

    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
