"""The pictures of a search: those that train and validate, loaded once for each way to decode them."""

from pathlib import Path
from threading import Lock

import pandas as pd

from darkroom.examples.pixels import Examples, load_examples
from darkroom.execution.workers import worker_pool
from darkroom.params.declared import DeclaredParams
from darkroom.params.schema import ImageParams
from darkroom.train.debug import debug_data

SPLITS = ("train", "validation")  # never test


class Loader:
    """The examples of a trial, by its parameters. The pixels are mapped from disk, so many settings fit into memory."""

    def __init__(self, images: Path, splits: pd.DataFrame) -> None:
        """`images` are the packed pictures, `splits` is tables.SPLITS."""
        self.images = images
        self.splits = splits
        self._loaded: dict[ImageParams, dict[str, Examples]] = {}
        self._lock = Lock()

    def __call__(self, params: DeclaredParams) -> dict[str, Examples]:
        """Return train and validation, decoded as the section image says; several threads may call it at once."""
        with self._lock:
            if params.image not in self._loaded:
                with worker_pool() as pool:
                    self._loaded[params.image] = load_examples(self.images, self.splits, params.image, SPLITS, pool)
        return debug_data(self._loaded[params.image], params)
