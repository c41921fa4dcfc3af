"""Quality issues of pictures as training data: a score and a flag for each."""

import numpy as np
import pandas as pd

from darkroom.core.tables import ISSUE_TABLE, ISSUES
from darkroom.params.data import Issues

FLAGGED = 0.5  # lower scores are flagged; the score of a picture exactly at the limit

Numbers = np.ndarray | float


def find_issues(manifest: pd.DataFrame, curated: pd.DataFrame, limits: Issues) -> pd.DataFrame:
    """Return the issue table (tables.ISSUE_TABLE), one row per readable picture, sorted by image_id.

    A score is 1 without the issue, 0 at its worst, 0.5 at the limit, and falls as the issue grows (see `_score`).
    Scores below 0.5 are flagged. A missing fact scores 1. All members of a group of duplicates or of a label conflict
    score 0, including the one that is kept.
    `curated` has image_id, label and duplicate_id of all readable pictures.
    """
    pictures = manifest[manifest["error"].isna()].sort_values("image_id", ignore_index=True)
    scores = _fact_scores(pictures, limits) | _group_scores(pictures, curated)
    table: dict[str, object] = {"image_id": pictures["image_id"]}
    for name in ISSUES:
        score = np.nan_to_num(scores[name], nan=1.0).astype(np.float32)
        table |= {f"{name}_score": score, f"is_{name}": score < FLAGGED}
    return pd.DataFrame(table).astype(ISSUE_TABLE)[list(ISSUE_TABLE)]


def _score(good: Numbers, bad: Numbers, limit_good: float, limit_bad: float) -> np.ndarray:
    """Return good / (good + bad), each relative to the limit; 1 where both limit and fact are at the scale's end.

    `good` is the distance of a fact from the worst value, `bad` from the best one (1 when that end is infinitely far
    away); `limit_good` and `limit_bad` are the distances of the limit.
    """
    good, bad = np.asarray(good, float) * limit_bad, np.asarray(bad, float) * limit_good
    total = good + bad
    return np.divide(good, total, out=np.ones_like(total), where=total != 0)


def _fact_scores(pictures: pd.DataFrame, limits: Issues) -> dict[str, np.ndarray]:
    """Return the scores of the issues that facts about the pixels show."""
    # in the precision of the facts, so that a fact exactly at the limit is not beyond it
    dark, bright, little = (float(np.float32(limit)) for limit in (limits.dark, limits.bright, limits.low_information))
    brightest, darkest, sharpness, entropy = (
        pictures[name].to_numpy(float, na_value=np.nan) for name in ("brightest", "darkest", "sharpness", "entropy")
    )
    width, height = (pictures[name].to_numpy(float, na_value=np.nan) for name in ("width", "height"))
    area = width * height
    size = _at_least_one(area / np.median(area)) if len(area) else area
    grey = pictures["greyscale"].to_numpy(bool, na_value=False)
    share = grey.mean() if len(grey) else 0.0
    return {
        "dark": _score(brightest, 1 - brightest, dark, 1 - dark),
        "bright": _score(1 - darkest, darkest, 1 - bright, bright),
        "blurred": _score(sharpness, 1, float(np.float32(limits.blurred)), 1),
        "low_information": _score(entropy, 8 - entropy, little, 8 - little),
        "odd_size": _score(1, size - 1, 1, limits.odd_size - 1),
        "odd_aspect": _score(1, _at_least_one(width / height) - 1, 1, limits.odd_aspect - 1),
        "greyscale": np.where(grey, _score(share, 1 - share, limits.greyscale, 1 - limits.greyscale), 1.0),
    }


def _at_least_one(ratio: np.ndarray) -> np.ndarray:
    """Return the ratio or its inverse, whichever is larger."""
    larger: np.ndarray = np.maximum(ratio, 1 / ratio)
    return larger


def _group_scores(pictures: pd.DataFrame, curated: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return 0 for the members of a group, 1 for all others."""
    known = curated.set_index("image_id")[["duplicate_id", "label"]].reindex(pictures["image_id"])
    duplicates = pd.factorize(known["duplicate_id"].to_numpy())[0]
    contents = pd.factorize(pictures["sha256"].to_numpy())[0]
    labels = pd.factorize(known["label"].to_numpy())[0]
    return {
        "exact_duplicate": 1.0 - (np.bincount(contents)[contents] > 1),
        "near_duplicate": 1.0 - _differ(duplicates, contents),
        "label_conflict": 1.0 - _differ(duplicates, labels),
    }


def _differ(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each row, whether the rows of its group have more than one value."""
    table = pd.Series(values)
    by_group = table.groupby(groups)
    return (by_group.transform("min") != by_group.transform("max")).to_numpy()
