"""A picture to try the served model on."""

from pathlib import Path

from darkroom.images.decode import read_upright
from darkroom.images.packed import read_pictures
from darkroom.params.schema import Image


def write_example(images: Path, image_id: str, image_params: Image, path: Path) -> None:
    """Write one picture as PNG, upright and in sRGB: the served model sees what the network saw."""
    data = read_pictures(images, [image_id])[image_id]
    read_upright(data, image_params.background, image_params.depth).save(path, format="PNG")
