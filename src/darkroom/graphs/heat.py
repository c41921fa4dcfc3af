"""Where the network of a bundle sees a class, without TensorFlow."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from darkroom.graphs.session import open_session
from darkroom.images.overlay import overlay

# pixels (n, size, size, 3) uint8 and classes (n,) int -> heat maps (n, size, size) float32, 0-1
HeatMapper = Callable[[np.ndarray, np.ndarray], np.ndarray]


def load_heat_mapper(bundle: Path) -> HeatMapper | None:
    """Return what makes the heat maps of a bundle's network, Layer-CAM; None where the bundle has no graph for them.

    Several threads may call it at once.
    """
    path = bundle / "heat_map.onnx"
    if not path.is_file():
        return None
    session = open_session(path)

    def make(pixels: np.ndarray, classes: np.ndarray) -> np.ndarray:
        chosen = np.asarray(classes, np.int32)
        rows = [slice(row, row + 1) for row in range(len(pixels))]  # the graph takes one picture at a time
        maps = [session.run(None, {"pixels": pixels[row], "classes": chosen[row]})[0] for row in rows]
        return np.concatenate([np.zeros((0, *pixels.shape[1:3]), np.float32), *maps])

    return make


def overlay_png(pixels: np.ndarray, heat: np.ndarray) -> bytes:
    """Return one picture (size, size, 3) uint8 in grey below its heat map (size, size), as PNG."""
    buffer = BytesIO()
    Image.fromarray(overlay(pixels, heat)).save(buffer, "PNG")
    return buffer.getvalue()
