"""The pictures and labels of each split, as tune, train and evaluate use them."""

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, cache_folder
from darkroom.examples.pixel_cache import Pixels, find_rows, open_pixels
from darkroom.images.scaling import DECODE_VERSION
from darkroom.params.schema import ImageParams


@dataclass(frozen=True)
class Examples:
    """Some rows of the pixels with their labels: `rows` int64, `labels` int32 (an index into `classes`).

    `pixels` (pictures, side, side, 3) is uint8. `weights` float32 and `copies` int32 are those of tables.SPLITS; None
    when all are 1.
    """

    pixels: Pixels | np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    weights: np.ndarray | None = None
    copies: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.rows)

    @property
    def image_ids(self) -> np.ndarray:
        """The image_id of each picture (n,) str; the number of its row where the pixels are a plain array."""
        return self.pixels.ids[self.rows] if isinstance(self.pixels, Pixels) else self.rows.astype(str)

    def for_training(self) -> "Examples":
        """Return what an epoch goes through: each row as often as its copies say."""
        if self.copies is None:
            return self
        chosen = np.repeat(np.arange(len(self)), self.copies)
        weights = None if self.weights is None else self.weights[chosen]
        return Examples(self.pixels, self.rows[chosen], self.labels[chosen], self.classes, weights)


def load_examples(
    images: Path,
    splits: pd.DataFrame,
    image_params: ImageParams,
    names: tuple[str, ...],
    executor: Executor,
    decoding: int = DECODE_VERSION,
) -> dict[str, Examples]:
    """Return the examples of the named splits, each in the order of image_id, each picture once.

    They are decoded as for the network that will see them (`decoding`: scaling.DECODE_VERSION). Pictures that balancing
    leaves out (copies 0) are not among them. Raises UserError when `images` lacks some.
    """
    pixels = open_pixels(images, image_params, cache_folder(), executor, decoding)
    classes = tuple(sorted(splits["label"].unique()))
    splits = splits[splits["copies"] > 0]
    return {name: _select(pixels, splits[splits["split"] == name], classes) for name in names}


def _select(pixels: Pixels, part: pd.DataFrame, classes: tuple[str, ...]) -> Examples:
    rows = find_rows(pixels.ids, part["image_id"].to_numpy(dtype=str))
    if (rows < 0).any():
        missing = part["image_id"][rows < 0]
        raise UserError(
            f"{ARTEFACTS['images']} lacks {len(missing)} of the pictures that {ARTEFACTS['splits']} names (the first: "
            f"{missing.iloc[0]}); they are of different runs: make them again with `dvc repro`"
        )
    labels = np.searchsorted(np.array(classes), part["label"].to_numpy(dtype=str)).astype(np.int32)
    weights, copies = part["weight"].to_numpy(np.float32), part["copies"].to_numpy(np.int32)
    return Examples(pixels, rows, labels, classes, _unless_one(weights), _unless_one(copies))


def _unless_one(values: np.ndarray) -> np.ndarray | None:
    return None if (values == 1).all() else values
