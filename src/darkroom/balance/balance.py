"""Class balance: how many pictures of each class are used, and their weights."""

import numpy as np
import pandas as pd

from darkroom.core.fingerprint import hash_texts
from darkroom.params.data import Balance


def seeded_hash(ids: pd.Series, seed: int) -> np.ndarray:
    """Return a seeded hash (uint64) of each id; it depends on the id alone, so added pictures do not change it."""
    return hash_texts(ids, f"{seed:016d}")


def rank_in_class(rows: pd.DataFrame, seed: int) -> pd.Series:
    """Return the rank of each row (image_id, label), from 0, in a seeded shuffle of its class."""
    order = np.argsort(seeded_hash(rows["image_id"], seed), kind="stable")
    labels = rows["label"].iloc[order]
    return labels.groupby(labels).cumcount().reindex(rows.index)


def class_sizes(labels: pd.Series) -> pd.Series:
    """Return the number of rows of each class that has any."""
    counts = labels.value_counts()
    return counts[counts > 0]


def surplus_reasons(rows: pd.DataFrame, params: Balance) -> pd.Series:
    """Return why each surplus row (image_id, label) is dropped: "undersampled", "over the cap"; missing if kept.

    Undersampling reduces every class to the size of the smallest; no class keeps more than `cap` (0: no limit).
    """
    reasons = pd.Series(None, rows.index, dtype="str")
    if len(rows) and (params.cap or params.method == "undersample"):
        rank = rank_in_class(rows, params.seed)
        if params.cap:
            reasons[rank >= params.cap] = "over the cap"
        if params.method == "undersample":
            reasons[rank >= class_sizes(rows["label"]).min()] = "undersampled"
    return reasons


def _size_of_class(labels: pd.Series) -> pd.Series:
    """Return, for each row, the number of rows of its class."""
    return labels.map(class_sizes(labels)).astype("int64")


def class_weights(labels: pd.Series) -> pd.Series:
    """Return n / (classes * pictures of the class) for each row: equal total weight per class, mean 1."""
    return len(labels) / (labels.nunique() * _size_of_class(labels).astype("float64"))


def balance_training(rows: pd.DataFrame, params: Balance) -> pd.DataFrame:
    """Return weight (float64), copies (int32) and reason for each training picture (image_id, label).

    Copies are 0 for dropped pictures. Oversampling repeats every picture of a class equally often, and a seeded
    selection once more, up to the size of the largest class.
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
        size = _size_of_class(labels)
        largest = size.max()
        extra = rank_in_class(rows[used], params.seed) < largest % size
        result.loc[used, "copies"] = (largest // size + extra).astype("int32")
    return result
