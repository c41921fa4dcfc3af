"""A picture to try the served model on."""

from pathlib import Path

from PIL import Image as Picture

from darkroom.images.decode import decode
from darkroom.images.packed import read_pictures
from darkroom.params.schema import ImageParams


def write_example(images: Path, image_id: str, image: ImageParams, path: Path) -> None:
    """Write one picture as PNG, as the network sees it: (size, size, 3) uint8.

    The served model gives it exactly the answer of the table of predictions, and a large photograph does not go into
    each version of the model.
    """
    pixels = decode(read_pictures(images, [image_id])[image_id], **image.model_dump())
    Picture.fromarray(pixels).save(path, format="PNG")
