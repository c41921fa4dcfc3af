"""ONNX files: of a network in float32, and with smaller weights."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.export.formats import PIXELS, PROBABILITIES
from darkroom.export.rounding import FEWEST
from darkroom.graphs.convert import to_onnx

if TYPE_CHECKING:
    import keras
    import onnx

CHANNEL_AXIS = {"Conv": 0, "MatMul": 1, "Gemm": 1}  # of the weights, the second input

Smaller = Callable[["onnx.TensorProto", np.ndarray, int], tuple[list[Any], Any]]


def onnx_model(network: "keras.Model") -> "onnx.ModelProto":
    """Return a network of `writing.served_network` as ONNX, with a free batch axis."""
    import onnx
    import tensorflow as tf

    pixels = tf.TensorSpec(network.input_shape, tf.uint8, name=PIXELS)
    graph = to_onnx(lambda pixels: network(pixels, training=False), [pixels], [PROBABILITIES])
    return onnx.load_model_from_string(graph)


def with_half_weights(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return the model with its weights stored as float16; computation stays in float32."""
    return _with_weights(model, _half)


def with_int8_weights(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return the model with its weights stored as int8, with one scale a channel; computation stays in float32."""
    return _with_weights(model, _eight_bits)


def _with_weights(model: "onnx.ModelProto", smaller: Smaller) -> "onnx.ModelProto":
    """Return the model whose weights come from what `smaller` makes of them: initialisers and a node."""
    import onnx
    from onnx import numpy_helper

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    axes = {node.input[1]: CHANNEL_AXIS[node.op_type] for node in graph.node if node.op_type in CHANNEL_AXIS}
    nodes = []
    for tensor in [tensor for tensor in graph.initializer if tensor.name in axes]:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= FEWEST:
            graph.initializer.remove(tensor)
            initialisers, node = smaller(tensor, values, axes[tensor.name])
            graph.initializer.extend(initialisers)
            nodes.append(node)
    kept = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(kept)
    return changed


def _half(tensor: "onnx.TensorProto", values: np.ndarray, axis: int) -> tuple[list[Any], Any]:  # noqa: ARG001
    from onnx import TensorProto, helper, numpy_helper

    name = f"{tensor.name}/half"
    node = helper.make_node("Cast", [name], [tensor.name], name=f"{tensor.name}/cast", to=TensorProto.FLOAT)
    return [numpy_helper.from_array(values.astype(np.float16), name)], node


def _eight_bits(tensor: "onnx.TensorProto", values: np.ndarray, axis: int) -> tuple[list[Any], Any]:
    """Symmetric, rounded to nearest; B. Jacob et al., Quantization and training of neural networks, CVPR 2018."""
    from onnx import helper, numpy_helper

    others = tuple(place for place in range(values.ndim) if place != axis)
    scales = np.maximum(np.abs(values).max(axis=others, keepdims=True) / 127, 1e-12).astype(np.float32)
    whole = np.clip(np.rint(values / scales), -127, 127).astype(np.int8)
    parts = {"int8": whole, "scale": scales.reshape(-1), "zero": np.zeros(scales.size, np.int8)}
    names = [f"{tensor.name}/{part}" for part in parts]
    node = helper.make_node("DequantizeLinear", names, [tensor.name], name=f"{tensor.name}/dequantize", axis=axis)
    return [numpy_helper.from_array(part, name) for name, part in zip(names, parts.values(), strict=True)], node


def write_onnx(model: "onnx.ModelProto", path: Path) -> None:
    """Write the model."""
    import onnx

    onnx.save_model(model, str(path))
