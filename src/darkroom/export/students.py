"""A network as a model of its own: a bundle that can be exported and asked, and its row beside the champion."""

import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.core.files import prepare_partial, remove
from darkroom.decision.saving import write_decision
from darkroom.evaluate.decide import fit_familiarity, fit_rule
from darkroom.evaluate.measure import measure, pictures_at_once
from darkroom.examples.pixels import Examples
from darkroom.examples.saving import load_network, save_network
from darkroom.export.measuring import median_latency
from darkroom.export.running import load_export
from darkroom.export.writing import served_network, write_model
from darkroom.models.features import with_features
from darkroom.package.bundle import write_bundle
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras


STUDENTS = "models/students"


@dataclass(frozen=True)
class Front:
    """A network beside others: accuracy on validation, and what the network costs as ONNX in float32.

    `kilobytes` of 1,000 bytes, `zipped` when they are compressed; `p50_ms` is the median time for one picture on one
    thread. `folder` is empty for the champion.
    """

    name: str
    parameters: int
    accuracy: float
    kilobytes: float
    zipped_kilobytes: float
    p50_ms: float
    folder: str


def write_student(folder: Path, network: "keras.Model", data: dict[str, Examples], params: DeclaredParams) -> Front:
    """Write a bundle to `folder`, in place of one that is there, and return its row.

    Validation decides temperature, sets and familiarity, as `evaluate` does.
    """
    found = measure(with_features(network), data, pictures_at_once(params))
    validation = found["validation"].answers
    rule = fit_rule(validation.labels, validation.probabilities, params.evaluate.coverage)
    familiarity = fit_familiarity(found["train"].features, found["validation"].features)
    examples = data["validation"]
    pixels = examples.pixels[examples.rows[: pictures_at_once(params)]]
    temporary = prepare_partial(folder)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            model, decision = Path(scratch, "model.keras"), Path(scratch, "decision")
            save_network(network, model)
            write_decision(decision, rule, familiarity)
            write_bundle(temporary, model, decision, examples.classes, params.image, params.package, lambda: pixels)
        remove(folder)
        temporary.rename(folder)
    except BaseException:
        remove(temporary)
        raise
    return front_row(folder.name, load_network(folder / "model.keras"), validation.scores()["accuracy"], data, folder)


def front_row(
    name: str, network: "keras.Model", accuracy: float, data: dict[str, Examples], folder: Path | None = None
) -> Front:
    """Return the row of a network whose accuracy on validation is known."""
    examples = data["validation"]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "model.onnx")
        write_model(served_network(network, 1.0), "onnx", "float32", file)
        content = file.read_bytes()
        latency = median_latency(load_export("onnx", file), examples.pixels[examples.rows[:1]])
    sizes = (len(content) / 1000, len(zlib.compress(content, 9)) / 1000)
    return Front(
        name, int(network.count_params()), accuracy, *sizes, latency, f"{STUDENTS}/{folder.name}" if folder else ""
    )
