"""Where the network of a served model sees the class that it predicts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from darkroom.graphs.heat import HeatMapper, load_heat_mapper
from darkroom.images.overlay import overlay

# pixels (n, size, size, 3) uint8 and classes (n,) -> a picture of each
Drawer = Callable[[np.ndarray, np.ndarray], list[Image.Image]]


def heat_drawer(bundle: Path) -> Drawer:
    """Return what draws, over each picture in grey, where the network of a bundle sees a class.

    Maps are those of explain.heat_maps: Layer-CAM. Keras makes them where the bundle has no graph that does.
    """
    mapper = load_heat_mapper(bundle) or _keras_mapper(bundle)

    def draw(pixels: np.ndarray, classes: np.ndarray) -> list[Image.Image]:
        maps = mapper(pixels, classes)
        return [Image.fromarray(overlay(one, heat)) for one, heat in zip(pixels, maps, strict=True)]

    return draw


def _keras_mapper(bundle: Path) -> HeatMapper:
    import keras

    from darkroom.explain.heat_maps import heat_mapper

    mapper = heat_mapper(keras.models.load_model(bundle / "model.keras", compile=False))
    return lambda pixels, classes: mapper(pixels, classes, len(pixels))
