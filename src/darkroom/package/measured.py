"""What the gate looks at: evaluate's report on validation, and the size and speed of what is served."""

import base64
import time
from pathlib import Path
from statistics import median

from darkroom.core.files import read_value
from darkroom.execution.quiet import without_native_messages
from darkroom.gate.criteria import Measurements
from darkroom.package.answers import load_answers
from darkroom.params.release import Gate
from darkroom.tracking.results import Report

NETWORKS = {"onnx": "network.onnx", "keras": "model.keras"}  # the file of a bundle that a runtime reads
CALLS = 100


def measure(bundle: Path, example: Path, evaluated: Report, gate: Gate) -> Measurements:
    """Return what the criteria of `gate` need; the model in the folder `bundle` runs only when its latency counts."""
    network = bundle / NETWORKS[read_value(bundle / "bundle.json").get("runtime", "keras")]
    return Measurements(
        scores=evaluated["validation"],
        details=evaluated.get("validation_details") or {},
        kilobytes=network.stat().st_size / 1000,
        milliseconds=milliseconds(bundle, example) if gate.latency else None,
    )


def milliseconds(bundle: Path, example: Path) -> float:
    """Return the median time for one picture, from base64 text to an answer, after one call that warms up."""
    with without_native_messages():
        answers = load_answers(bundle)
    picture = [base64.b64encode(example.read_bytes()).decode()]
    times = []
    for _ in range(CALLS + 1):
        start = time.perf_counter()
        answers(picture)
        times.append(time.perf_counter() - start)
    return median(times[1:]) * 1000
