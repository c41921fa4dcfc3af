"""A picture of pictures: what the network sees of them while it trains."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.variation import Variation

if TYPE_CHECKING:
    from PIL import Image

    from darkroom.examples.pixels import Examples
    from darkroom.params.declared import DeclaredParams

PICTURES, VARIATIONS = 8, 8  # rows, and columns behind the one with the picture as it is
TILE = 96  # pixels
GAP = 2
LABELS, HEADINGS = 108, 18  # pixels left of and above the pictures
FONT = 12  # pixels
LETTERS = 15  # of a label


def contact_sheet(train: "Examples", params: "DeclaredParams", path: Path) -> "Image.Image":
    """Write and return a picture: a row for each of some training pictures, as it is and in the first epochs."""
    variation = Variation(params.augment, params.train.seed)
    count = min(PICTURES, len(train))
    chosen = np.linspace(0, len(train) - 1, count).astype(int)
    rows, targets = train.rows[chosen], np.eye(len(train.classes), dtype=np.float32)[train.labels[chosen]]
    pixels = train.pixels[rows]
    columns = [pixels] + [variation.vary(pixels, targets, rows, epoch, 0)[0] for epoch in range(VARIATIONS)]
    tiles = np.stack(columns, axis=1)
    sheet = _drawn(tiles, [train.classes[label] for label in train.labels[chosen]])
    sheet.save(path, "PNG")
    return sheet


def _drawn(tiles: np.ndarray, labels: list[str]) -> "Image.Image":
    """Return a picture of `tiles` (rows, columns, side, side, 3) uint8, each row with its label."""
    from PIL import Image, ImageDraw, ImageFont

    rows, columns = tiles.shape[:2]
    sheet = Image.new("RGB", (LABELS + columns * (TILE + GAP), HEADINGS + rows * (TILE + GAP)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT)
    for column in range(columns):
        heading = f"epoch {column}" if column else "as it is"
        draw.text((LABELS + column * (TILE + GAP) + TILE / 2, HEADINGS / 2), heading, "black", font, anchor="mm")
    for row, label in enumerate(labels):
        top = HEADINGS + row * (TILE + GAP)
        short = label if len(label) <= LETTERS else f"{label[: LETTERS - 3]}..."
        draw.text((LABELS - 6, top + TILE / 2), short, "black", font, anchor="rm")
        for column in range(columns):
            tile = Image.fromarray(tiles[row, column]).resize((TILE, TILE), Image.Resampling.NEAREST)
            sheet.paste(tile, (LABELS + column * (TILE + GAP), top))
    return sheet
