"""A picture of pictures: what the network sees of them while it trains."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from darkroom.data.pixels import Examples
from darkroom.models.augmentation import Variation
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    from PIL import Image

PICTURES, VARIATIONS = 8, 8  # rows, and columns behind the one with the picture as it is
TILE = 96  # pixels
GAP = 2


def contact_sheet(train: Examples, params: DeclaredParams, path: Path) -> "Image.Image":
    """Write and return a picture: a row for each of some training pictures, as it is and in the first epochs."""
    from PIL import Image

    variation = Variation(params.augment, params.train.seed)
    count = min(PICTURES, len(train))
    chosen = np.linspace(0, len(train) - 1, count).astype(int)
    rows, targets = train.rows[chosen], np.eye(len(train.classes), dtype=np.float32)[train.labels[chosen]]
    pixels = train.pixels[rows]
    columns = [pixels] + [variation.vary(pixels, targets, rows, epoch, 0)[0] for epoch in range(VARIATIONS)]
    tiles = np.stack([np.clip(np.rint(column), 0, 255).astype(np.uint8) for column in columns], axis=1)
    sheet = Image.new("RGB", ((VARIATIONS + 1) * (TILE + GAP) + GAP, count * (TILE + GAP) + GAP), "white")
    for (row, column), _ in np.ndenumerate(np.empty(tiles.shape[:2])):
        tile = Image.fromarray(tiles[row, column]).resize((TILE, TILE), Image.Resampling.NEAREST)
        sheet.paste(tile, (GAP + column * (TILE + GAP), GAP + row * (TILE + GAP)))
    sheet.save(path, "PNG")
    return sheet
