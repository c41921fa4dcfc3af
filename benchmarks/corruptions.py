"""What corrupting pictures costs: CPU seconds for 1,000 pictures in all five severities, of each kind, at two sides.

The pictures are drawn. The last row sums the kinds of params.yaml.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from working_copy import print_table

from darkroom.corruption.corruptions import KINDS, SEVERITIES, corrupt
from darkroom.params.evaluation import Corruption
from darkroom.params.load import load_params

SIDES = (32, 224)
THOUSAND = 1000


def drawn(count: int, side: int) -> np.ndarray:
    """Return pictures (count, side, side, 3) uint8 that are smooth but for some noise."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 230, (count, 6, 6, 3), np.uint8)
    smooth = np.stack([cv2.resize(picture, (side, side)) for picture in coarse])
    return np.asarray(smooth + random.integers(0, 25, smooth.shape, np.uint8))


def seconds(kind: Corruption, pixels: np.ndarray) -> float:
    """Return the CPU seconds for 1,000 pictures in all severities."""
    rows = np.arange(len(pixels))
    corrupt(pixels[:1], kind, 1, rows[:1])  # what is imported and set up once
    start = time.process_time()
    for severity in SEVERITIES:
        corrupt(pixels, kind, severity, rows)
    return (time.process_time() - start) * THOUSAND / len(pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = {side: drawn(chosen.pictures, side) for side in SIDES}
    default = load_params(Path("params.yaml")).evaluate.robustness.kinds
    took = {kind: [seconds(kind, pictures[side]) for side in SIDES] for kind in KINDS}
    total = np.sum([took[kind] for kind in default], axis=0).tolist()
    rows = [[kind, *took[kind], "yes" if kind in default else ""] for kind in KINDS]
    print_table(["kind", *(f"{side} px, s" for side in SIDES), "default"], *rows, ["all default kinds", *total, ""])


if __name__ == "__main__":
    main()
