"""How many pictures of each class are used, and how much each counts."""

import numpy as np
import pandas as pd

from darkroom.params.data import Balance


def rank(ids: pd.Series, seed: int) -> pd.Series:
    """Return a seeded number, uint64, for each id. It depends on nothing but the id, so others do not move it."""
    hashes = pd.util.hash_array(ids.to_numpy(dtype=object), hash_key=f"{seed:016d}", categorize=False)
    return pd.Series(hashes, ids.index)


def place_in_class(rows: pd.DataFrame, seed: int) -> pd.Series:
    """Return the place of each row (image_id, label), from 0, in a seeded order of its class."""
    ordered = rows.assign(rank=rank(rows["image_id"], seed)).sort_values(["rank", "image_id"])
    return ordered.groupby("label").cumcount().reindex(rows.index)


def surplus_reasons(rows: pd.DataFrame, params: Balance) -> pd.Series:
    """Return why each row (image_id, label) is too many: "undersampled", "over the cap"; missing for those that stay.

    Undersampling brings every class to the size of the smallest; no class has more than `cap`.
    """
    place = place_in_class(rows, params.seed)
    reasons = pd.Series(None, rows.index, dtype="str")
    if params.cap:
        reasons[place >= params.cap] = "over the cap"
    if params.method == "undersample" and len(rows):
        reasons[place >= rows["label"].value_counts().min()] = "undersampled"
    return reasons


def class_weights(labels: pd.Series) -> pd.Series:
    """Return n / (classes * pictures of the class) for each row: every class counts alike, the mean is 1."""
    counts = labels.map(labels.value_counts())
    return len(labels) / (labels.nunique() * counts.astype("float64"))


def balance_training(rows: pd.DataFrame, params: Balance) -> pd.DataFrame:
    """Return weight (float64), copies (int32) and reason of each training picture (image_id, label).

    Copies are 0 for what is undersampled or over the cap. Oversampling repeats each class as a whole, and a seeded
    part of it once more, up to the size of the largest.
    """
    result = pd.DataFrame({"weight": 1.0, "copies": np.int32(1), "reason": None}, index=rows.index)
    if params.scope != "train":
        return result
    result["reason"] = surplus_reasons(rows, params)
    used = result["reason"].isna()
    labels = rows["label"][used]
    result.loc[~used, "copies"] = 0
    if params.method == "class_weight":
        result.loc[used, "weight"] = class_weights(labels)
    if params.method == "oversample" and used.any():
        size, largest = labels.map(labels.value_counts()), labels.value_counts().max()
        once_more = place_in_class(rows[used], params.seed) < largest % size
        result.loc[used, "copies"] = (largest // size + once_more).astype("int32")
    return result
