"""Near duplicates: candidates by hash, confirmed by their pixels."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.curation.duplicates import readable_pictures
from darkroom.dedupe.alike import similarity
from darkroom.dedupe.candidates import find_candidates
from darkroom.images.packed import read_thumbnails
from darkroom.params.data import Dedupe

COMPARED = ["image_id", "sha256", "width", "height", "phash", "error"]
SMALLEST = 16  # pixels of the shorter side: in fewer, two different pictures of one thing are alike


def find_near_pairs(manifest: pd.DataFrame, images: Path, params: Dedupe) -> np.ndarray:
    """Return pairs (m, 2) int64 of rows of readable_pictures(manifest) that look the same, sorted.

    Of the manifest it needs the columns COMPARED only. Equal files are left out: the first stands for all.
    """
    pictures = readable_pictures(manifest)
    shorter_side = pictures[["width", "height"]].min(axis=1)
    first = np.flatnonzero((~pictures["sha256"].duplicated() & (shorter_side >= SMALLEST)).to_numpy(dtype=bool))
    hashes = np.array([int(text, 16) for text in pictures["phash"].iloc[first]], np.uint64)
    ids = pictures["image_id"].iloc[first].to_numpy(dtype=str)
    del manifest, pictures, shorter_side  # the texts of all rows, beside which the thumbnails would lie
    candidates = find_candidates(hashes, params.radius)
    compared = np.bincount(candidates.ravel(), minlength=len(first)) > 0  # only their thumbnails are read
    places = np.cumsum(compared, dtype=np.int32) - np.int32(1)
    pairs = places[candidates]
    del candidates
    alike = similarity(read_thumbnails(images, ids[compared]), pairs, params.similarity)
    return np.asarray(first[compared][pairs[alike >= params.similarity]])
