"""Quality issues of pictures as training data: a score and a flag for each."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from darkroom.core.tables import ISSUE_TABLE
from darkroom.curation.groups import differ_in_group, is_shared
from darkroom.curation.pictures import Pictures
from darkroom.params.data import Issues

FACTS = ["brightest", "darkest", "sharpness", "entropy", "width", "height", "greyscale"]
FLAGGED = 0.5  # lower scores are flagged; the score of a picture exactly at the limit

Numbers = np.ndarray | float


def find_issues(pictures: Pictures, curated: pd.DataFrame, limits: Issues) -> pd.DataFrame:
    """Return the issue table (tables.ISSUE_TABLE), one row per readable picture, sorted by image_id.

    A score is 1 without the issue, 0 at its worst, 0.5 at the limit, and falls as the issue grows (see `_score`).
    Scores below 0.5 are flagged. A missing fact scores 1. All members of a group of duplicates or of a label conflict
    score 0, including the one that is kept.
    `curated` has label and duplicate_id, a row number, of all readable pictures.
    """
    table: dict[str, object] = {}
    for scores in (_fact_scores(pictures, limits), _group_scores(pictures, curated)):
        for name, score in scores:
            exact = np.nan_to_num(score, nan=1.0).astype(np.float32)
            table |= {f"{name}_score": exact, f"is_{name}": exact < FLAGGED}
    table["image_id"] = pictures.texts("image_id")
    return pd.DataFrame({name: table[name] for name in ISSUE_TABLE}, copy=False)


def _score(good: Numbers, bad: Numbers, limit_good: float, limit_bad: float) -> np.ndarray:
    """Return good / (good + bad), each relative to the limit; 1 where both limit and fact are at the scale's end.

    `good` is the distance of a fact from the worst value, `bad` from the best one (1 when that end is infinitely far
    away); `limit_good` and `limit_bad` are the distances of the limit.
    """
    good, bad = np.asarray(good, float) * limit_bad, np.asarray(bad, float) * limit_good
    total = good + bad
    return np.divide(good, total, out=np.ones_like(total), where=total != 0)


def _fact_scores(pictures: Pictures, limits: Issues) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and scores of the issues that facts about the pixels show."""
    # in the precision of the facts, so that a fact exactly at the limit is not beyond it
    dark, bright, little = (float(np.float32(limit)) for limit in (limits.dark, limits.bright, limits.low_information))
    facts = pictures.columns(FACTS)

    def fact(name: str) -> np.ndarray:
        return facts[name].to_numpy(float, na_value=np.nan)

    yield "dark", _score(brightest := fact("brightest"), 1 - brightest, dark, 1 - dark)
    yield "bright", _score(1 - (darkest := fact("darkest")), darkest, 1 - bright, bright)
    yield "blurred", _score(fact("sharpness"), 1, float(np.float32(limits.blurred)), 1)
    yield "low_information", _score(entropy := fact("entropy"), 8 - entropy, little, 8 - little)
    width, height = fact("width"), fact("height")
    area = width * height
    size = _at_least_one(area / np.median(area)) if len(area) else area
    yield "odd_size", _score(1, size - 1, 1, limits.odd_size - 1)
    yield "odd_aspect", _score(1, _at_least_one(width / height) - 1, 1, limits.odd_aspect - 1)
    grey = facts["greyscale"].to_numpy(bool, na_value=False)
    share = grey.mean() if len(grey) else 0.0
    yield "greyscale", np.where(grey, _score(share, 1 - share, limits.greyscale, 1 - limits.greyscale), 1.0)


def _at_least_one(ratio: np.ndarray) -> np.ndarray:
    """Return the ratio or its inverse, whichever is larger."""
    larger: np.ndarray = np.maximum(ratio, 1 / ratio)
    return larger


def _group_scores(pictures: Pictures, curated: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and scores of the issues of groups: 0 for the members of a group, 1 for all others."""
    contents = pictures.first_equal("sha256")
    duplicates = curated["duplicate_id"].to_numpy()
    yield "exact_duplicate", 1.0 - is_shared(contents)
    yield "near_duplicate", 1.0 - differ_in_group(duplicates, contents)
    yield "label_conflict", 1.0 - differ_in_group(duplicates, curated["label"].cat.codes.to_numpy(np.int32))
