"""CIFAR-10 and CIFAR-100 as their author published them: batches of raw pixels in Python pickles.

Source of the format: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009), and its web page.
"""

import codecs
import io
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from darkroom.core.errors import UserError, first_line
from darkroom.ingest.layout import Entry
from darkroom.ingest.sources import Source

CIFAR_SIDE = 32  # pixels
META = {"batches.meta": b"label_names", "meta": b"fine_label_names"}  # file of the names -> its key
BATCHES = {"train": "train", "test": "test", "test_batch": "test"} | {f"data_batch_{n}": "train" for n in range(1, 6)}
FEW = 30  # files: the published folders have no more than ten

Location = tuple[Any, int]  # of the batch, row in it


@dataclass(frozen=True)
class CifarBatches:
    """The pictures in the batches of a folder or archive; read as PNG."""

    files: Source
    labelled: ClassVar[bool] = True

    def walk(self) -> Iterator[Entry]:
        """Yield <batch>/<label>/<row>_<name>.png for each picture; raises UserError for other content."""
        found = {entry.path.rsplit("/", 1)[-1]: entry for entry in self.files.walk() if not entry.refused}
        meta = next(name for name in META if name in found)
        names = _load(self.files, found[meta].location).get(META[meta])
        if not _are_texts(names):
            raise UserError(f"{meta} does not hold the names of the classes")
        for batch in sorted(BATCHES.keys() & found.keys()):
            location, stamp = found[batch].location, found[batch].stamp
            _, labels, files = _batch(self.files, location, len(names))
            for row, (label, file) in enumerate(zip(labels, files, strict=True)):
                label, name = names[label].decode("utf-8", "replace"), file.decode("utf-8", "replace")
                path = f"{batch}/{label}/{row:05d}_{name.replace('/', '_')}"
                yield Entry(
                    path, CIFAR_SIDE * CIFAR_SIDE * 3, label, BATCHES[batch], location=(location, row), stamp=stamp
                )

    def read(self, location: Location) -> bytes:
        """Return one picture as PNG."""
        from PIL import Image

        batch, row = location
        pixels = _load(self.files, batch)[b"data"][row].reshape(3, CIFAR_SIDE, CIFAR_SIDE).transpose(1, 2, 0)
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
        return file.getvalue()


def holds_batches(files: Source) -> bool:
    """Tell whether a folder or archive has the files of CIFAR, by their names."""
    names = {entry.path.rsplit("/", 1)[-1] for entry in islice(files.walk(), FEW)}
    return {"batches.meta", "data_batch_1", "test_batch"} <= names or {"meta", "train", "test"} <= names


def _batch(files: Source, location: Any, classes: int) -> tuple[np.ndarray, list[int], list[bytes]]:
    """Return pixels (n, 3072) uint8, labels and file names of a batch; raises UserError for other content."""
    batch = _load(files, location)
    pixels, names = batch.get(b"data"), batch.get(b"filenames")
    labels = batch.get(b"labels", batch.get(b"fine_labels"))
    shaped = (
        isinstance(pixels, np.ndarray)
        and pixels.dtype == np.uint8
        and pixels.shape[1:] == (CIFAR_SIDE * CIFAR_SIDE * 3,)
    )
    known = isinstance(labels, list) and all(isinstance(label, int) and 0 <= label < classes for label in labels)
    if not (shaped and known and _are_texts(names) and len(pixels) == len(labels) == len(names)):
        raise UserError("a batch of CIFAR holds other than pixels, labels and names for each of its pictures")
    return pixels, labels, names


def _are_texts(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, bytes) for name in names)


@lru_cache(maxsize=1)
def _load(files: Source, location: Any) -> Any:
    """Return what a batch holds; the last one is kept in each process, because neighbours are read together."""
    try:
        content = _ArraysOnly(io.BytesIO(files.read(location)), encoding="bytes").load()
    except UserError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise UserError(f"a batch of CIFAR is damaged: {first_line(error)}") from None
    if not isinstance(content, dict):
        raise UserError("a batch of CIFAR is not a mapping")
    return content


class _ArraysOnly(pickle.Unpickler):
    """Reads pickles of arrays and plain containers; any other pickle could run a program."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what builds an array; raises UserError for anything else."""
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):  # bytes, as Python 3 writes them in protocol 2
            return _latin_1
        raise UserError(f"a batch of CIFAR holds more than arrays: {module}.{name}; it may be harmful")


def _empty_array(*_: Any) -> np.ndarray:
    return np.empty(0, np.uint8)  # its true shape and content follow in the pickle


def _latin_1(text: str, _: Any) -> bytes:
    return codecs.encode(text, "latin-1")
