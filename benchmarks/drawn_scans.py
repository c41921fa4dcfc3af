"""Pictures that all look alike though none is a copy: drawn chest X-rays."""

import numpy as np
from PIL import Image


def draw_scan(chance: np.random.Generator) -> np.ndarray:
    """Return something like an X-ray of a chest: a body on black with spine, lungs, heart, diaphragm, ribs and noise.

    People stand some percent of the picture elsewhere, turned by some degrees, and differ by a tenth to a fifth.
    """
    side = 256
    down, across = np.mgrid[0:side, 0:side] / side - 0.5
    turn, moved = np.radians(chance.normal(0, 3)), chance.normal(0, 0.03, 2)
    x = (across - moved[0]) * np.cos(turn) - (down - moved[1]) * np.sin(turn)
    y = (across - moved[0]) * np.sin(turn) + (down - moved[1]) * np.cos(turn)
    body = _blob(x, y, 0, 0.05, chance.uniform(0.36, 0.46), chance.uniform(0.44, 0.56), 6)
    light = 0.65 * body + chance.uniform(0.05, 0.15) * np.exp(-((x / 0.04) ** 2)) * body
    for place in (-0.17, 0.17):
        lung = _blob(
            x,
            y,
            place * chance.normal(1, 0.1),
            chance.normal(-0.04, 0.03),
            chance.uniform(0.09, 0.14),
            chance.uniform(0.25, 0.35),
        )
        base = 1 / (1 + np.exp((y - chance.normal(0.2, 0.03)) * 40))
        light -= chance.uniform(0.3, 0.45) * lung * base
    light += chance.uniform(0.15, 0.3) * _blob(x, y, *chance.normal([0.06, 0.1], 0.02), *chance.uniform(0.08, 0.15, 2))
    ribs = np.sin(2 * np.pi * chance.uniform(8, 12) * (y + chance.uniform(0.4, 1) * x**2) + chance.uniform(0, 6.28))
    light += chance.uniform(0.03, 0.08) * body * ribs
    for cells, strength in ((8, 0.04), (64, 0.03)):  # tissue, noise
        grain = Image.fromarray(chance.normal(0, strength, (cells, cells)).astype(np.float32))
        light += np.asarray(grain.resize((side, side), Image.Resampling.BICUBIC)) * body
    exposed = (light * chance.uniform(0.85, 1.15)).clip(0, 1)
    return np.repeat((exposed * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _blob(x: np.ndarray, y: np.ndarray, *shape: float) -> np.ndarray:
    """Return a soft ellipse, 1 inside; `shape`: middle (x, y), half axes (x, y), sharpness of the edge."""
    left, top, wide, high, *sharp = shape
    return np.exp(-((((x - left) / wide) ** 2 + ((y - top) / high) ** 2) ** (sharp[0] if sharp else 2)))
