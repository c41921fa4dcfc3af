"""How well a network does on corrupted pictures, and whether it keeps its answer when a picture is moved."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from darkroom.corruption.corruptions import SEVERITIES, corrupt
from darkroom.params.evaluation import Corruption

Answer = Callable[[np.ndarray], np.ndarray]  # (n, side, side, 3) uint8 -> probabilities (n, classes)
MOVE = 1 / 16  # of the side: a shift


def measure_corruptions(
    answer: Answer, pixels: np.ndarray, labels: np.ndarray, kinds: Sequence[Corruption], batch: int
) -> pd.DataFrame:
    """Return the accuracy under each kind and severity: kind, severity, accuracy.

    `pixels` (n, side, side, 3) uint8, `labels` (n,) int; `batch` pictures are corrupted and answered at a time.
    """
    rows = []
    for kind in kinds:
        for severity in SEVERITIES:
            right = 0
            for part in _parts(len(pixels), batch):
                changed = corrupt(pixels[part], kind, severity, np.arange(part.start, part.stop))
                right += int((answer(changed).argmax(axis=1) == labels[part]).sum())
            rows.append((kind, severity, right / len(pixels)))
    return pd.DataFrame(rows, columns=["kind", "severity", "accuracy"])


def summarise_robustness(table: pd.DataFrame, clean: float) -> dict[str, float | None]:
    """Return the accuracy on `clean` pictures, its mean over kinds and severities, and that relative to clean."""
    mean = float(table["accuracy"].mean())
    return {"clean": clean, "mean": mean, "relative": mean / clean if clean else None}


def consistency(answer: Answer, pixels: np.ndarray, batch: int) -> dict[str, float]:
    """Return the share of pictures (n, side, side, 3) uint8 whose predicted class stays, {flip, shift}.

    Mirrored, and moved by a sixteenth of the side (a pixel at least) in each of the four directions, the border
    repeated: the mean over the directions.
    """
    step = max(1, round(pixels.shape[1] * MOVE))
    same = {"flip": 0.0, "shift": 0.0}
    for part in _parts(len(pixels), batch):
        some = pixels[part]
        predicted = answer(some).argmax(axis=1)
        same["flip"] += float((answer(some[:, :, ::-1]).argmax(axis=1) == predicted).sum())
        moved = [answer(shifted(some, *by)).argmax(axis=1) for by in ((step, 0), (-step, 0), (0, step), (0, -step))]
        same["shift"] += float(np.mean([(other == predicted).sum() for other in moved]))
    return {name: count / len(pixels) for name, count in same.items()}


def shifted(pixels: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return pictures (n, side, side, 3) moved by whole pixels, the border repeated."""
    side = pixels.shape[1]
    rows, columns = (np.clip(np.arange(side) - by, 0, side - 1) for by in (down, right))
    return pixels[:, rows][:, :, columns]


def _parts(count: int, batch: int) -> Iterator[slice]:
    return (slice(start, min(start + batch, count)) for start in range(0, count, batch))
