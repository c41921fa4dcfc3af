"""Near duplicates: candidates by perceptual hash, confirmed by comparing pixels."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.curation.duplicates import readable_pictures
from darkroom.dedupe.alike import similarity
from darkroom.dedupe.candidates import find_candidates
from darkroom.images.packed import read_thumbnails
from darkroom.params.data import Dedupe

COMPARED = ["image_id", "sha256", "width", "height", "phash", "feedback", "error"]
MIN_SIDE = 16  # pixels of the shorter side; smaller pictures of one subject look alike though they are different


def find_near_pairs(manifest: pd.DataFrame, images: Path, params: Dedupe) -> np.ndarray:
    """Return pairs (m, 2) int64 of rows of readable_pictures(manifest) that are near duplicates, sorted.

    There are none unless `params.near`. The manifest needs only the columns COMPARED. Of files with equal content only
    the first is compared.
    """
    if not params.near:
        return np.empty((0, 2), np.int64)
    pictures = readable_pictures(manifest)
    shorter_side = pictures[["width", "height"]].min(axis=1)
    first = np.flatnonzero((~pictures["sha256"].duplicated() & (shorter_side >= MIN_SIDE)).to_numpy(dtype=bool))
    hashes = np.array([int(text, 16) for text in pictures["phash"].iloc[first]], np.uint64)
    ids = pictures["image_id"].iloc[first].to_numpy(dtype=str)
    del manifest, pictures, shorter_side  # free the strings of all rows before the thumbnails are loaded
    candidates = find_candidates(hashes, params.radius)
    compared = np.bincount(candidates.ravel(), minlength=len(first)) > 0  # only their thumbnails are read
    positions = np.cumsum(compared, dtype=np.int32) - np.int32(1)
    pairs = positions[candidates]
    del candidates
    scores = similarity(read_thumbnails(images, ids[compared]), pairs, params.similarity)
    found: np.ndarray = first[compared][pairs[scores >= params.similarity]]
    return found
