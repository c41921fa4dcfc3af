"""What is measured of each picture: brightness, contrast, sharpness, entropy, colour, a thumbnail and its hash."""

import numpy as np
from PIL import Image

from darkroom.images.scaling import judged_factor
from darkroom.images.thumbnails import LUMA_BYTES, SIDE, hash_thumbnails, make_thumbnails, reduce_picture

FACT_DECIMALS = 4  # processors differ beyond them
COLOURLESS = 5  # levels of 255 between red, green and blue: up to it a JPEG's rounding, not a colour
Measured = dict[str, np.ndarray]


def measure_pictures(pictures: list[np.ndarray]) -> tuple[Measured, np.ndarray]:
    """Return {column of the manifest: (n,)} and the thumbnails (n, THUMBNAIL_BYTES) uint8 of upright RGB pictures.

    Pictures are (height, width, 3) uint8; those of one size are measured together, which makes small ones quick.
    """
    judged = [_at_judged_size(picture) for picture in pictures]
    reduced = np.stack([reduce_picture(picture) for picture in judged])
    thumbnails = make_thumbnails(reduced)
    lumas = [_luma(picture, thumbnail) for picture, thumbnail in zip(judged, thumbnails, strict=True)]
    facts = {name: np.empty(len(pictures)) for name in _MEASURES}
    shapes = [luma.shape for luma in lumas]
    for shape in sorted(set(shapes)):
        rows = [row for row, found in enumerate(shapes) if found == shape]
        for name, values in _measure_lumas(np.stack([lumas[row] for row in rows])).items():
            facts[name][rows] = values.round(FACT_DECIMALS)
    hashes = np.array([f"{bits:016x}" for bits in hash_thumbnails(thumbnails).tolist()])
    return {**facts, "greyscale": is_greyscale(reduced), "phash": hashes}, thumbnails


_MEASURES = ("brightness", "darkest", "brightest", "contrast", "sharpness", "entropy")


def is_greyscale(reduced: np.ndarray) -> np.ndarray:
    """Return for each reduced picture (n, 32, 32, 3) uint8 whether no part of it has a colour."""
    red, green, blue = (reduced[..., channel] for channel in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return np.asarray(spread.max(axis=(1, 2)) <= COLOURLESS)


def _at_judged_size(picture: np.ndarray) -> np.ndarray | Image.Image:
    """Return a picture of 32x32 as it is; any other one as a Pillow image, reduced to at most JUDGED_SIDE."""
    if picture.shape == (SIDE, SIDE, 3):
        return picture
    factor = judged_factor(max(picture.shape))
    image = Image.fromarray(picture)
    return image.reduce(factor) if factor > 1 else image


def _luma(picture: np.ndarray | Image.Image, thumbnail: np.ndarray) -> np.ndarray:
    """Return the luma (height, width) uint8; a picture of 32x32 already has it in its thumbnail."""
    if isinstance(picture, Image.Image):
        return np.asarray(picture.convert("L"))
    return thumbnail[:LUMA_BYTES].reshape(SIDE, SIDE)


def _measure_lumas(lumas: np.ndarray) -> Measured:
    """Return the measures of lumas (n, height, width) uint8, see tables.MANIFEST.

    Sums are of whole numbers, so that they do not depend on which pictures are measured together.
    """
    pixels, levels = lumas[0].size, np.arange(256)
    counts = np.stack([np.bincount(luma.ravel(), minlength=256) for luma in lumas])
    shares, mean = counts / pixels, counts @ levels / pixels
    below = shares.cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(shares > 0, -shares * np.log2(shares), 0)
    return {
        "brightness": mean / 255,
        "darkest": (below < 0.05).sum(axis=1) / 255,
        "brightest": (below < 0.95).sum(axis=1) / 255,
        "contrast": np.sqrt(np.maximum(counts @ levels**2 / pixels - mean**2, 0)) / 255,
        "sharpness": _sharpness(lumas),
        "entropy": bits.sum(axis=1),
    }


def _sharpness(lumas: np.ndarray) -> np.ndarray:
    """Return the variance of the Laplacian (n,), 0 for pictures without an inside.

    J. L. Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy: a comparative study, ICPR 2000.
    """
    if min(lumas.shape[1:]) < 3:
        return np.zeros(len(lumas))
    wide = lumas.astype(np.int16)
    edges = wide[:, 1:-1, 1:-1] * np.int16(4)
    for neighbour in (wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]):
        edges -= neighbour
    flat = edges.reshape(len(lumas), -1).astype(np.float64)  # exact for whole numbers, and quick
    return np.asarray(np.einsum("ij,ij->i", flat, flat) / flat.shape[1] - (flat.sum(axis=1) / flat.shape[1]) ** 2)
