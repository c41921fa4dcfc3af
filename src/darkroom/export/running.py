"""Runs what was exported, by the library that its example uses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from darkroom.execution.quiet import without_native_messages
from darkroom.export.formats import PIXELS

Run = Callable[[np.ndarray], np.ndarray]  # pixels (n, size, size, 3) uint8 -> probabilities (n, classes) float32


def load_export(name: str, path: Path) -> Run:
    """Return what computes the probabilities with an export of the format `name`, on one thread but for TensorFlow."""
    with without_native_messages():
        return LOADERS[name](path)


def _load_keras(path: Path) -> Run:
    import keras
    import tensorflow as tf

    network = keras.saving.load_model(path, compile=False)
    traced = tf.function(lambda batch: network(batch, training=False), reduce_retracing=True)
    return lambda pixels: np.asarray(traced(pixels))


def _load_saved_model(path: Path) -> Run:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda pixels: np.asarray(loaded.serve(pixels))


def _load_onnx(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # weights of 8 bits become floats once, when the file is loaded, and not with each picture
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda pixels: np.asarray(session.run(None, {PIXELS: pixels})[0])


def _load_openvino(path: Path) -> Run:
    import openvino

    # on processors that have it, bfloat16 would be used otherwise
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(path, "CPU", options)
    return lambda pixels: np.array(compiled([pixels])[0])


def _load_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
    place = interpreter.get_input_details()[0]["index"]
    answer = interpreter.get_output_details()[0]["index"]
    interpreter.allocate_tensors()  # says once how it computes
    shape = [tuple(interpreter.get_input_details()[0]["shape"])]  # that memory is allocated for

    def run(pixels: np.ndarray) -> np.ndarray:
        if shape != [pixels.shape]:
            interpreter.resize_tensor_input(place, pixels.shape)
            interpreter.allocate_tensors()
            shape[:] = [pixels.shape]
        interpreter.set_tensor(place, pixels)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(answer))

    return run


LOADERS: dict[str, Callable[[Path], Run]] = {
    "keras": _load_keras,
    "saved-model": _load_saved_model,
    "onnx": _load_onnx,
    "openvino": _load_openvino,
    "litert": _load_litert,
}
