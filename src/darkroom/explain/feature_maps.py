"""What the layers of a network make of one picture, as a sheet of tiles."""

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from darkroom.models.features import members_of
from darkroom.models.maps import map_layers, outputs_model

if TYPE_CHECKING:
    import keras

LAYERS, CHANNELS = 4, 16  # shown at most
TILE, GAP, CAPTION = 48, 4, 14  # pixels: the side of a tile, the space behind it, the height of a caption
SHOWN = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Activation", "ReLU", "LeakyReLU")
SMALLEST = 2  # pixels a side: what weighs channels has one
PAPER, INK = 255, 60  # grey


def feature_map_sheet(network: "keras.Model", pixels: np.ndarray) -> Image.Image:
    """Return a sheet of one picture (side, side, 3) uint8 and, below it, a row for each of up to LAYERS layers.

    The layers, convolutions and activations of the network (the first of an ensemble, its backbone too), are spread
    over its depth; a row has the up to CHANNELS channels of the largest mean activation, each from black, its smallest
    value, to white, its largest.
    """
    member = members_of(network)[0]
    layers = _spread([layer for layer in map_layers(member) if _is_shown(layer)])
    outputs = outputs_model(member, layers).predict_on_batch(pixels[None].astype(np.float32))
    rows = [("picture", [pixels])]
    for layer, output in zip(layers, outputs[:-1], strict=True):
        maps = np.asarray(output[0], np.float32)
        rows.append((f"{layer.name}: {' x '.join(map(str, maps.shape))}", _strongest(maps)))
    return _drawn(rows)


def _is_shown(layer: Any) -> bool:
    return type(layer).__name__ in SHOWN and min(layer.output.shape[1:3]) >= SMALLEST


def _spread(layers: list[Any]) -> list[Any]:
    """Return up to LAYERS of them, the last one too, at even distances."""
    count = min(LAYERS, len(layers))
    return [layers[len(layers) * number // count - 1] for number in range(1, count + 1)]


def _strongest(maps: np.ndarray) -> list[np.ndarray]:
    """Return channels of (h, w, channels) as uint8, those of the largest mean first."""
    chosen = np.argsort(-maps.mean(axis=(0, 1)), kind="stable")[:CHANNELS]
    return [_stretched(maps[..., channel]) for channel in chosen]


def _stretched(channel: np.ndarray) -> np.ndarray:
    low, width = channel.min(), np.ptp(channel)
    return np.asarray(np.round(255 * (channel - low) / (width or 1)), np.uint8)


def _tile(values: np.ndarray) -> Image.Image:
    """Return a picture of up to TILE pixels a side: each value a square of whole pixels, or the mean of some."""
    image, longer = Image.fromarray(values), max(values.shape[:2])
    if longer > TILE:
        return image.resize((TILE, TILE), Image.Resampling.BOX)
    times = TILE // longer
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _drawn(rows: list[tuple[str, list[np.ndarray]]]) -> Image.Image:
    height, width = CAPTION + TILE + GAP, max(len(values) for _, values in rows) * (TILE + GAP) + GAP
    sheet = Image.new("RGB", (width, len(rows) * height + GAP), (PAPER,) * 3)
    draw = ImageDraw.Draw(sheet)
    for row, (caption, values) in enumerate(rows):
        top = row * height + GAP
        draw.text((GAP, top - 1), caption, fill=(INK,) * 3)
        for column, value in enumerate(values):
            sheet.paste(_tile(value), (GAP + column * (TILE + GAP), top + CAPTION))
    return sheet
