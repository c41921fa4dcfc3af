"""The formats of an export: which precisions each has, and which package it needs."""

from dataclasses import dataclass
from importlib.util import find_spec

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest

PIXELS, PROBABILITIES = "pixels", "probabilities"  # the names of the input and of the output
PRECISIONS = ("float32", "float16", "int8")


@dataclass(frozen=True)
class Format:
    """A format: the name of the model in the folder, its precisions, what to install for it and for its example."""

    model: str
    precisions: tuple[str, ...]
    package: str  # on the package index
    module: str  # that the package installs


FORMATS = {
    "litert": Format("model.tflite", PRECISIONS, "ai-edge-litert", "ai_edge_litert"),
    "onnx": Format("model.onnx", PRECISIONS, "onnxruntime", "onnxruntime"),
    "openvino": Format("model.xml", PRECISIONS, "openvino", "openvino"),
    "saved-model": Format("saved_model", ("float32",), "tensorflow", "tensorflow"),
    "keras": Format("model.keras", ("float32",), "keras tensorflow", "keras"),
}


def require_possible(name: str, precision: str) -> None:
    """Raise UserError for an unknown format or precision, a pair that does not exist, or a package that is missing."""
    if name not in FORMATS:
        raise UserError(f"--format {name}: unknown format{nearest(name, FORMATS)}")
    if precision not in PRECISIONS:
        raise UserError(f"--precision {precision}: unknown precision{nearest(precision, PRECISIONS)}")
    chosen = FORMATS[name]
    if precision not in chosen.precisions:
        others = ", ".join(key for key, form in FORMATS.items() if precision in form.precisions)
        has = " or ".join(chosen.precisions)
        raise UserError(f"--format {name} --precision {precision}: {name} has {has} only; {precision} has: {others}")
    if find_spec(chosen.module) is None:
        raise UserError(f"--format {name}: needs a package that is not installed; run `pip install {chosen.package}`")
