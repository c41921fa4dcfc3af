"""A picture to try the served model on."""

from pathlib import Path

from darkroom.images.decode import open_picture, upright_rgb
from darkroom.images.packed import read_pictures


def write_example(images: Path, image_id: str, background: str, path: Path) -> None:
    """Write one picture as PNG, upright and in sRGB: the served model sees what the network saw."""
    upright_rgb(open_picture(read_pictures(images, [image_id])[image_id]), background).save(path, format="PNG")
