"""Layer-CAM as an ONNX graph."""

from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.graphs.convert import to_onnx
from darkroom.graphs.gradients import gradient_names
from darkroom.models.features import members_of
from darkroom.models.maps import map_model

if TYPE_CHECKING:
    import keras


def layer_cam_to_onnx(network: "keras.Model") -> bytes:
    """Return the heat maps of explain.heat_maps as a graph of one picture.

    `pixels` (1, side, side, 3) uint8 and `classes` (1,) int32 give `heat` (1, side, side) float32, 0-1. Raises
    ValueError, or what tf2onnx raises, for a network with operations whose gradients ONNX cannot express.
    """
    import tensorflow as tf

    models = [map_model(member) for member in members_of(network)]

    def heat(pixels: Any, classes: Any) -> Any:
        maps = [_layer_cam(model, tf.cast(pixels, tf.float32), classes) for model in models]
        side = network.input_shape[1]
        large = [tf.image.resize(one[..., None], (side, side))[..., 0] for one in maps]
        return tf.add_n(large) / len(models)

    shape = (1, *network.input_shape[1:])
    signature = [tf.TensorSpec(shape, tf.uint8, name="pixels"), tf.TensorSpec((1,), tf.int32, name="classes")]
    return to_onnx(heat, signature, ["heat"])


def _layer_cam(model: "keras.Model", pixels: Any, classes: Any) -> Any:
    """Return the map (1, h, w) float32, 0-1; see explain.heat_maps.heat_mapper for what it shows."""
    import tensorflow as tf

    with tf.compat.v1.get_default_graph().gradient_override_map(gradient_names()):
        maps, logits = model(pixels, training=False)
    score = tf.reduce_sum(logits * tf.one_hot(classes, logits.shape[1]))
    (gradient,) = tf.gradients(score, maps)
    heat = tf.nn.relu(tf.reduce_sum(tf.nn.relu(gradient) * maps, axis=-1))
    return heat / tf.maximum(tf.reduce_max(heat), np.finfo(np.float32).tiny)  # 0 where nothing speaks for the class
