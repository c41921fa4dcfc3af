"""Writes a network in each of the formats."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.decision.rule import SMALLEST
from darkroom.examples.saving import save_network
from darkroom.execution.quiet import without_native_messages
from darkroom.export.formats import PIXELS, PROBABILITIES
from darkroom.export.onnx_writing import onnx_model, with_half_weights, with_int8_weights, write_onnx

if TYPE_CHECKING:
    import keras
    import onnx

SMALLER: dict[str, Callable[["onnx.ModelProto"], "onnx.ModelProto"]] = {
    "float32": lambda model: model,
    "float16": with_half_weights,
    "int8": with_int8_weights,
}


def served_network(network: "keras.Model", temperature: float) -> "keras.Model":
    """Return a network from pixels (n, size, size, 3) uint8 to calibrated probabilities (n, classes) float32.

    Calibration is that of decision.rule.Rule, as a part of the graph, so that an export answers what is served.
    """
    import keras

    inputs = keras.Input(network.input_shape[1:], dtype="uint8", name=PIXELS)
    answers = network(keras.ops.cast(inputs, "float32"))
    if temperature != 1:
        logits = keras.ops.log(keras.ops.maximum(answers, SMALLEST)) * (1 / temperature)
        answers = keras.ops.softmax(logits)
    named = keras.layers.Identity(name=PROBABILITIES)(answers)
    return keras.Model(inputs, named, name="exported")


def write_model(network: "keras.Model", name: str, precision: str, path: Path) -> None:
    """Write a network of `served_network` in the format `name`; a possible pair of `formats` is given.

    float16 and int8 are how weights are stored: symmetric int8, with one scale for each channel. Of a network for int8
    they have been rounded (rounding.round_weights).
    """
    with without_native_messages():
        WRITERS[name](network, precision, path)


def _write_keras(network: "keras.Model", precision: str, path: Path) -> None:  # noqa: ARG001
    save_network(network, path)


def _write_saved_model(network: "keras.Model", precision: str, path: Path) -> None:  # noqa: ARG001
    network.export(path, format="tf_saved_model", verbose=False)


def _write_onnx(network: "keras.Model", precision: str, path: Path) -> None:
    write_onnx(SMALLER[precision](onnx_model(network)), path)


def _write_openvino(network: "keras.Model", precision: str, path: Path) -> None:
    """Write model.xml and model.bin; the converter of ONNX keeps weights of 8 bits as they are."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "model.onnx")
        write_onnx(SMALLER["int8" if precision == "int8" else "float32"](onnx_model(network)), plain)
        read = openvino.Core().read_model(plain)
        openvino.save_model(read, path, compress_to_fp16=precision == "float16")


def _write_litert(network: "keras.Model", precision: str, path: Path) -> None:
    """Write model.tflite; with int8, LiteRT rounds what comes into a layer to 8 bits too, as it computes."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, format="tf_saved_model", verbose=False)
        # from the network itself the converter loses the names; from concrete functions it fails for int8
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        path.write_bytes(converter.convert())


WRITERS: dict[str, Callable[["keras.Model", str, Path], None]] = {
    "keras": _write_keras,
    "saved-model": _write_saved_model,
    "onnx": _write_onnx,
    "openvino": _write_openvino,
    "litert": _write_litert,
}
