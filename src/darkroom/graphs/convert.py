"""From a Keras network, or another computation of TensorFlow's, to an ONNX graph."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.execution.quiet import without_native_messages
from darkroom.graphs.canonical import canonical_bytes
from darkroom.models.features import with_features

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

OPSET = 18  # of ONNX: the newest that tf2onnx writes
OUTPUTS = ["probabilities", "features"]


def network_to_onnx(network: "keras.Model") -> bytes:
    """Return a network as ONNX: `pixels` (n, side, side, 3) uint8, n free, to the two outputs of `with_features`.

    Raises whatever tf2onnx raises for an operation that it does not know.
    """
    import tensorflow as tf

    both = with_features(network)
    pixels = tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="pixels")
    return to_onnx(lambda pixels: both(pixels, training=False), [pixels], OUTPUTS)


def to_onnx(function: Callable[..., Any], signature: "list[tf.TensorSpec]", outputs: list[str]) -> bytes:
    """Return a function of tensors as ONNX, the same bytes at every call; inputs have the names of the signature."""
    import tf2onnx

    frozen = _frozen(function, signature)
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with without_native_messages():
            model, _ = tf2onnx.convert.from_graph_def(
                frozen.graph.as_graph_def(add_shapes=True),
                input_names=[f"{one.name}:0" for one in signature],  # without the constants, which are inputs for Keras
                output_names=[one.name for one in frozen.outputs],
                opset=OPSET,
                custom_op_handlers={"Erfc": (_erfc, [])},
            )
    finally:
        logger.setLevel(level)
    return canonical_bytes(model, [one.name for one in signature], outputs)


def _frozen(function: Callable[..., Any], signature: "list[tf.TensorSpec]") -> Any:
    """Return a function of tensors as one graph, its weights constants; compiled functions within it are part of it."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        traced = tf.function(function, input_signature=signature, autograph=False).get_concrete_function()
    finally:
        tf.config.run_functions_eagerly(before)
    return convert_variables_to_constants_v2(traced, lower_control_flow=False, aggressive_inlining=True)


def _erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """Write TensorFlow's Erfc, of which GELU is made, as 1 - Erf; tf2onnx does not know it."""
    dtype, shape = graph.get_dtype(node.output[0]), graph.get_shape(node.output[0])
    graph.remove_node(name)
    erf = graph.make_node("Erf", node.input).output[0]
    one = graph.make_const(f"{name}_one", np.array(1, np.float32)).output[0]
    graph.make_node("Sub", [one, erf], outputs=node.output, name=name, dtypes=[dtype], shapes=[shape])
