"""Near duplicates: candidates by perceptual hash, confirmed by comparing pixels."""

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.curation.pictures import Pictures
from darkroom.dedupe.alike import similarity
from darkroom.dedupe.candidate_tasks import find_candidate_files
from darkroom.dedupe.candidates import as_pairs, find_candidates
from darkroom.dedupe.comparing import compare_candidates, gather_thumbnails
from darkroom.execution.scratch import scratch_folder
from darkroom.images.packed import read_thumbnails
from darkroom.params.data import Dedupe

MIN_SIDE = 16  # pixels of the shorter side; smaller pictures of one subject look alike though they are different
FEW = 50_000  # pictures that one process compares as soon as two that must be started first
Pool = Callable[[], AbstractContextManager[Executor]]


def find_near_pairs(pictures: Pictures, images: Path, params: Dedupe, cache: Path, pool: Pool) -> np.ndarray:
    """Return pairs (m, 2) int64 of pictures, by their numbers, that are near duplicates, sorted.

    There are none unless `params.near`. Of files with equal content only the first is compared. More than FEW are
    compared by an executor of `pool`, with scratch files below `cache`.
    """
    if not params.near:
        return np.empty((0, 2), np.int64)
    large = (pictures.columns(["width", "height"]).min(axis=1) >= MIN_SIDE).to_numpy(dtype=bool)
    first = np.flatnonzero(large & (pictures.first_equal("sha256") == np.arange(len(pictures))))
    hashes = np.fromiter((int(text, 16) for text in pictures.texts("phash", pd.Index(first))), np.uint64, len(first))
    ids = pictures.texts("image_id", pd.Index(first)).to_numpy(dtype="S")
    if len(first) > FEW:
        with scratch_folder(cache) as folder, pool() as executor:
            pairs = _search_in_tasks(hashes, ids, images, params, folder, executor)
    else:
        pairs = _search(hashes, ids.astype(str), images, params)
    return np.asarray(first[pairs], np.int64)


def _search(hashes: np.ndarray, ids: np.ndarray, images: Path, params: Dedupe) -> np.ndarray:
    """Return the pairs (m, 2) of rows of `hashes` and `ids` that are near duplicates, found by this process alone."""
    candidates = find_candidates(hashes, params.radius)
    compared = np.bincount(candidates.ravel(), minlength=len(ids)) > 0  # only their thumbnails are read
    positions = np.cumsum(compared, dtype=np.int32) - np.int32(1)
    scores = similarity(read_thumbnails(images, ids[compared]), positions[candidates], params.similarity)
    return candidates[scores >= params.similarity]


def _search_in_tasks(
    hashes: np.ndarray, ids: np.ndarray, images: Path, params: Dedupe, folder: Path, executor: Executor
) -> np.ndarray:
    """Return what `_search` returns; hashes, thumbnails and candidates stand in `folder`, which all workers see."""
    candidates = find_candidate_files(hashes, params.radius, folder, executor)
    thumbnails = gather_thumbnails(images, ids, folder, executor)
    return as_pairs(compare_candidates(candidates, thumbnails, len(ids), params.similarity, executor), len(ids))
