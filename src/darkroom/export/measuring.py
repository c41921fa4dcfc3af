"""How an export compares with the network that it was made of."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darkroom.examples.pixels import Examples
from darkroom.export.running import Run

BYTES_AT_ONCE = 10_000_000  # of pixels: bounds the memory of activations
ROUNDS, CALLS, SECONDS = 5, 50, 0.5  # of one picture that are timed, at most


@dataclass(frozen=True)
class Comparison:
    """An export beside Keras, on validation.

    `agreement` is the share of pictures with the same label, `difference` the largest of any probability, `accuracy`
    and `reference` the accuracies of the export and of Keras, `p50_ms` the median time for one picture.
    """

    agreement: float
    difference: float
    accuracy: float
    reference: float
    p50_ms: float


def compare(run: Run, reference: np.ndarray, examples: Examples) -> Comparison:
    """Compare what `run` answers on validation with the probabilities `reference` (n, classes) of Keras."""
    answers = probabilities_of(run, examples)
    labels, wanted = answers.argmax(axis=1), reference.argmax(axis=1)
    return Comparison(
        float((labels == wanted).mean()),
        float(np.abs(answers - reference).max()),
        float((labels == examples.labels).mean()),
        float((wanted == examples.labels).mean()),
        median_latency(run, examples.pixels[examples.rows[:1]]),
    )


def probabilities_of(run: Run, examples: Examples) -> np.ndarray:
    """Return the probabilities (n, classes) that `run` gives, some pictures at a time."""
    count = max(1, BYTES_AT_ONCE // examples.pixels[0].nbytes)
    parts = [examples.rows[start : start + count] for start in range(0, len(examples), count)]
    return np.concatenate([run(examples.pixels[rows]) for rows in parts])


def median_latency(run: Run, picture: np.ndarray) -> float:
    """Return the median time of one call in milliseconds, the lowest of ROUNDS: other work slows some of them down.

    The first call, which warms up, is left out.
    """
    run(picture)
    return min(_median_of(run, picture) for _ in range(ROUNDS))


def _median_of(run: Run, picture: np.ndarray) -> float:
    times: list[float] = []
    while len(times) < CALLS and sum(times) < SECONDS:
        start = time.perf_counter()
        run(picture)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def kilobytes_of(path: Path) -> float:
    """Return the size of a model: of a file, a folder, or of model.xml and model.bin together, in 1,000 bytes."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1000
