"""Pictures of something else, which the model should find unfamiliar."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from darkroom.core.errors import UserError
from darkroom.images.decode import decode
from darkroom.images.limits import UnreadablePicture
from darkroom.params.schema import ImageParams

FOLDER = "data/other"
LARGEST = 500_000_000  # bytes of a file; larger files are not decoded
# what reading a damaged, encrypted or forbidden file raises; of zipfile too
UNREADABLE = (UnreadablePicture, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
SPREAD = (5**0.5 - 1) / 2  # multiples of the golden ratio fill an interval evenly, however many they are

Files = dict[str, Callable[[], bytes]]  # the name of each file, and what reads it


def read_other(source: Path, image: ImageParams, limit: int) -> np.ndarray:
    """Return the pictures (n, size, size, 3) uint8 of a folder of any depth or of a .zip, sorted by name.

    Files that are no pictures are passed over; of more than `limit` pictures that many are taken evenly. Raises
    UserError when `source` does not exist or holds no picture.
    """
    with _open(source) as files:
        found: dict[str, np.ndarray] = {}
        for name in _spread(sorted(files)):
            if len(found) == limit:
                break
            try:
                found[name] = decode(files[name](), **image.model_dump())
            except UNREADABLE:
                continue
    if not found:
        raise UserError(f"{_where(source)}: holds no picture that can be read; put some there, or give another name")
    return np.stack([found[name] for name in sorted(found)])


def separation(familiar_scores: np.ndarray, other_scores: np.ndarray) -> float:
    """Return the AUROC with which a score, higher for other pictures, separates (n,) familiar from (m,) other ones.

    1: all are told apart; 0.5: the score says nothing.
    """
    from sklearn.metrics import roc_auc_score

    other = np.repeat([0, 1], [len(familiar_scores), len(other_scores)])
    return float(roc_auc_score(other, np.concatenate([familiar_scores, other_scores])))


@contextmanager
def _open(source: Path) -> Iterator[Files]:
    """Yield the files of a folder or a .zip, but for hidden and huge ones."""
    if source.is_dir():
        paths = (path for path in source.rglob("*") if path.is_file() and path.stat().st_size <= LARGEST)
        found: Files = {path.relative_to(source).as_posix(): path.read_bytes for path in paths}
        yield {name: read for name, read in found.items() if _is_seen(name)}
        return
    if not source.exists():
        raise UserError(f"{_where(source)}: does not exist in {FOLDER}/; {_contents(source.parent)}")
    try:
        archive = zipfile.ZipFile(source)
    except zipfile.BadZipFile:
        raise UserError(f"{_where(source)}: is neither a folder nor a whole .zip; unpack or copy it again") from None
    with archive:
        inside = [info for info in archive.infolist() if not info.is_dir() and info.file_size <= LARGEST]
        yield {info.filename: partial(archive.read, info) for info in inside if _is_seen(info.filename)}


def _is_seen(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _spread(names: list[str]) -> list[str]:
    """Return names in an order each beginning of which is spread evenly over them.

    Every tenth file would be a text where the source has a text beside each picture.
    """
    return [names[place] for place in np.argsort(np.arange(len(names)) * SPREAD % 1, kind="stable")]


def _where(source: Path) -> str:
    return f"params.yaml: evaluate.other_data = {source.name!r}"


def _contents(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if _is_seen(path.name)) if folder.is_dir() else []
    return f"there is: {', '.join(names[:10])}" if names else f"put a folder of pictures or a .zip into {FOLDER}/"
