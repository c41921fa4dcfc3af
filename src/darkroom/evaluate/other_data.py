"""Pictures of something else, which the network should not take for its own."""

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from darkroom.core.errors import UserError
from darkroom.images.decode import decode
from darkroom.params.schema import ImageParams


def read_other(source: Path, image: ImageParams, limit: int) -> np.ndarray:
    """Return at most `limit` pictures (n, size, size, 3) uint8 of a folder, of any depth, or a .zip, taken evenly.

    Files that are no pictures are passed over. Raises UserError when there is nothing to read.
    """
    readers = _readers(source)
    taken = min(limit, len(readers))
    pixels = []
    for number in range(taken):
        try:
            pixels.append(decode(readers[number * len(readers) // taken](), **image.model_dump()))
        except ValueError:
            continue
    if not pixels:
        raise UserError(f"params.yaml: evaluate.other_data = {source.name!r}: no readable picture in it")
    return np.stack(pixels)


def separation(familiar: np.ndarray, other: np.ndarray) -> float:
    """Return ROC AUC of scores (n,) and (m,): how surely the higher of two is the other one's."""
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([0, 1], [len(familiar), len(other)])
    return float(roc_auc_score(labels, np.concatenate([familiar, other])))


def _readers(source: Path) -> list[Callable[[], bytes]]:
    """Return what reads each file, sorted by name; hidden ones are passed over."""
    if source.is_dir():
        files = sorted(path for path in source.rglob("[!.]*") if path.is_file())
        return [path.read_bytes for path in files]
    if not zipfile.is_zipfile(source):
        raise UserError(
            f"params.yaml: evaluate.other_data = {source.name!r}: there is no such folder or .zip in data/other/"
        )
    archive = zipfile.ZipFile(source)
    return [partial(archive.read, name) for name in sorted(archive.namelist()) if not name.endswith("/")]
