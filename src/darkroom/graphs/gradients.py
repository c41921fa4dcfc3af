"""Gradients written with operations that ONNX has: for each one that TensorFlow computes with an operation of its own.

Only the gradient with respect to the maps is given, none with respect to weights, which are constants.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

MAX_OFFSETS = 81  # places of a pooling window: the graph has some operations for each


@cache
def gradient_names() -> dict[str, str]:
    """Return {operation: name of its gradient} for tf.Graph.gradient_override_map; registers them once."""
    import tensorflow as tf

    gradients = {
        "Relu": lambda op, grad: grad * _cast(op.outputs[0] > 0, grad),
        "Relu6": lambda op, grad: grad * _cast((op.outputs[0] > 0) & (op.outputs[0] < 6), grad),
        "Sigmoid": lambda op, grad: grad * op.outputs[0] * (1 - op.outputs[0]),
        "Tanh": lambda op, grad: grad * (1 - op.outputs[0] ** 2),
        "Rsqrt": lambda op, grad: grad * -0.5 * op.outputs[0] ** 3,
        "Sqrt": lambda op, grad: grad * 0.5 / op.outputs[0],
        "BiasAdd": lambda _, grad: (grad, None),
        "MaxPool": _max_pool,
        "AvgPool": _average_pool,
        "Conv2D": _convolution,
        "DepthwiseConv2dNative": _depthwise,
    }
    for name, gradient in gradients.items():
        tf.RegisterGradient(f"Onnx{name}")(gradient)
    return {name: f"Onnx{name}" for name in gradients}


def _cast(condition: Any, like: Any) -> Any:
    import tensorflow as tf

    return tf.cast(condition, like.dtype)


def _max_pool(op: Any, grad: Any) -> Any:
    """Send each gradient to the first of the largest values of its window, as TensorFlow does."""
    import tensorflow as tf

    maps, (rows, columns) = op.inputs[0], op.get_attr("ksize")[1:3]
    if rows * columns > MAX_OFFSETS:
        raise ValueError(f"a pooling window of {rows}x{columns} is too large for a graph of its gradient")
    (top, bottom), (left, right) = _margins(op, (rows, columns))
    padded = tf.pad(maps, [[0, 0], [top, bottom], [left, right], [0, 0]], constant_values=float(maps.dtype.min))
    total: Any = 0.0
    free = tf.ones_like(grad)
    for row in range(rows):
        for column in range(columns):
            there = _window(padded, row, column, op.get_attr("strides")[1:3], grad.shape)
            chosen = free * _cast(there >= op.outputs[0], grad)
            free -= chosen
            total += _placed(grad * chosen, row, column, op, padded.shape)
    return total[:, top : top + maps.shape[1], left : left + maps.shape[2]]


def _window(padded: Any, row: int, column: int, strides: list[int], shape: Any) -> Any:
    """Return what stands at one place of each window."""
    down, across = strides
    return padded[
        :, row : row + down * (shape[1] - 1) + 1 : down, column : column + across * (shape[2] - 1) + 1 : across
    ]


def _placed(values: Any, row: int, column: int, op: Any, shape: Any) -> Any:
    """Return zeros of `shape`, with `values` at one place of each window."""
    import tensorflow as tf

    spread = _spread(values, op.get_attr("strides")[1:3])
    below, beside = shape[1] - row - spread.shape[1], shape[2] - column - spread.shape[2]
    return tf.pad(spread, [[0, 0], [row, below], [column, beside], [0, 0]])


def _spread(values: Any, strides: list[int]) -> Any:
    """Return maps (n, h, w, channels) with stride - 1 zeros between neighbours."""
    import tensorflow as tf

    count, height, width, channels = values.shape
    down, across = strides
    if down == across == 1:
        return values
    apart = tf.pad(values[:, :, None, :, None], [[0, 0], [0, 0], [0, down - 1], [0, 0], [0, across - 1], [0, 0]])
    joined = tf.reshape(apart, (count, height * down, width * across, channels))
    return joined[:, : (height - 1) * down + 1, : (width - 1) * across + 1]


def _margins(op: Any, kernel: Sequence[int], dilations: Sequence[int] = (1, 1)) -> list[tuple[int, int]]:
    """Return the rows (above, below) and the columns (left, right) that padding adds to an operation's input."""
    if op.get_attr("padding") == b"VALID":
        return [(0, 0), (0, 0)]
    if op.get_attr("padding") == b"EXPLICIT":
        sides = op.get_attr("explicit_paddings")
        return [(sides[2], sides[3]), (sides[4], sides[5])]
    found = []
    for axis, size in enumerate(kernel):
        side, stride = op.inputs[0].shape[axis + 1], op.get_attr("strides")[axis + 1]
        reach = (size - 1) * dilations[axis] + 1
        total = max((-(-side // stride) - 1) * stride + reach - side, 0)
        found.append((total // 2, total - total // 2))
    return found


def _average_pool(op: Any, grad: Any) -> Any:
    import tensorflow as tf

    side, sides = op.inputs[0].shape[1:3], op.get_attr("ksize")[1:3]
    ones = tf.pad(tf.ones((1, *side, 1)), [[0, 0], *map(list, _margins(op, sides)), [0, 0]])
    counts = tf.nn.conv2d(ones, tf.ones((*sides, 1, 1)), op.get_attr("strides"), "VALID")  # padding is not averaged
    return _backwards(op, grad / counts, tf.ones((*sides, grad.shape[-1], 1), grad.dtype), sides)


def _depthwise(op: Any, grad: Any) -> Any:
    import tensorflow as tf

    kernel = op.inputs[1]
    if kernel.shape[3] != 1:
        raise ValueError("a depthwise convolution of several filters a channel has no graph of its gradient")
    return _backwards(op, grad, tf.reverse(kernel, [0, 1]), kernel.shape[:2]), None


def _convolution(op: Any, grad: Any) -> Any:
    import tensorflow as tf

    kernel = op.inputs[1]
    groups = op.inputs[0].shape[-1] // kernel.shape[2]
    if groups > 1:
        raise ValueError("a convolution in groups has no graph of its gradient")
    turned = tf.transpose(tf.reverse(kernel, [0, 1]), (0, 1, 3, 2))
    return _backwards(op, grad, turned, kernel.shape[:2], depthwise=False), None


def _backwards(op: Any, grad: Any, kernel: Any, sides: Any, depthwise: bool = True) -> Any:
    """Return the gradient of a convolution's input: the turned kernel over the gradients, spread by the strides."""
    import tensorflow as tf

    maps, dilations = op.inputs[0], _dilations(op)
    spread, pads = _spread(grad, op.get_attr("strides")[1:3]), []
    for axis, (before, _) in enumerate(_margins(op, sides, dilations)):
        reach = (sides[axis] - 1) * dilations[axis]
        pads.append([reach - before, maps.shape[axis + 1] + before - spread.shape[axis + 1]])
    padded = tf.pad(spread, [[0, 0], *pads, [0, 0]])
    if depthwise:
        return tf.nn.depthwise_conv2d(padded, kernel, (1, 1, 1, 1), "VALID", dilations=dilations)
    return tf.nn.conv2d(padded, kernel, 1, "VALID", dilations=dilations)


def _dilations(op: Any) -> list[int]:
    return list(op.get_attr("dilations")[1:3]) if "dilations" in op.node_def.attr else [1, 1]  # pooling has none
