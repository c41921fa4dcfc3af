"""How the answers hold when pictures are corrupted, mirrored or moved."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from darkroom.corruption.corruptions import SEVERITIES, corrupt
from darkroom.execution.progress import progress
from darkroom.params.evaluation import Corruption

Answer = Callable[[np.ndarray], np.ndarray]  # (n, side, side, 3) uint8 -> probabilities (n, classes)

SHIFT = 16  # a shift is the side over this


def measure_corruptions(
    answer: Answer, pixels: np.ndarray, labels: np.ndarray, kinds: Sequence[Corruption], batch: int
) -> pd.DataFrame:
    """Return the accuracy under each kind and severity: kind, severity, accuracy, in the order of `kinds`.

    `pixels` (n, side, side, 3) uint8, `labels` (n,) int; `batch` pictures are corrupted and answered at a time.
    """
    cases = [(kind, severity) for kind in kinds for severity in SEVERITIES]
    rows = [
        (kind, severity, _accuracy(answer, pixels, labels, kind, severity, batch))
        for kind, severity in progress(cases, len(cases), "answering corrupted pictures")
    ]
    return pd.DataFrame(rows, columns=["kind", "severity", "accuracy"])


def _accuracy(
    answer: Answer, pixels: np.ndarray, labels: np.ndarray, kind: Corruption, severity: int, batch: int
) -> float:
    right = 0
    for rows in _batches(len(pixels), batch):
        predicted = answer(corrupt(pixels[rows], kind, severity, rows)).argmax(axis=1)
        right += int((predicted == labels[rows]).sum())
    return right / len(pixels)


def summarise_robustness(table: pd.DataFrame, clean: float) -> dict[str, float | None]:
    """Return the accuracy on the clean pictures, the mean over kinds and severities, and that relative to clean.

    The mean is None without any kind; the relative one also where none of the clean pictures is answered rightly.
    """
    mean = float(table["accuracy"].mean()) if len(table) else None
    return {"clean": clean, "mean": mean, "relative": mean / clean if mean is not None and clean else None}


def consistency(answer: Answer, pixels: np.ndarray, batch: int) -> dict[str, float]:
    """Return the share of pictures whose predicted class stays under a horizontal flip, and under shifts.

    A shift is by a sixteenth of the side, a pixel at least, up, down, left or right; the border is repeated, and the
    share is the mean of the four. `pixels` (n, side, side, 3) uint8.
    """
    stays = np.zeros(5)
    for rows in _batches(len(pixels), batch):
        part = pixels[rows]
        predicted = answer(part).argmax(axis=1)
        views = [part[:, :, ::-1], *_shifted(part)]
        stays += [(answer(np.ascontiguousarray(view)).argmax(axis=1) == predicted).sum() for view in views]
    return {"flip": float(stays[0] / len(pixels)), "shift": float(stays[1:].mean() / len(pixels))}


def _shifted(pixels: np.ndarray) -> Iterator[np.ndarray]:
    side = pixels.shape[1]
    move = max(1, round(side / SHIFT))
    padded = np.pad(pixels, ((0, 0), (move, move), (move, move), (0, 0)), "edge")
    for top, left in ((0, move), (2 * move, move), (move, 0), (move, 2 * move)):
        yield padded[:, top : top + side, left : left + side]


def _batches(count: int, batch: int) -> Iterator[np.ndarray]:
    """Yield the rows (n,) int64 of each batch."""
    for start in range(0, count, batch):
        yield np.arange(start, min(start + batch, count))
