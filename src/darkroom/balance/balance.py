"""Class balance: how many pictures of each class are used, and their weights."""

import numpy as np
import pandas as pd

from darkroom.params.data import Balance


def seeded_hash(ids: pd.Series, seed: int) -> pd.Series:
    """Return a seeded hash (uint64) of each id; it depends on the id alone, so added pictures do not change it."""
    hashes = pd.util.hash_array(ids.to_numpy(dtype=object), hash_key=f"{seed:016d}", categorize=False)
    return pd.Series(hashes, ids.index)


def rank_in_class(rows: pd.DataFrame, seed: int) -> pd.Series:
    """Return the rank of each row (image_id, label), from 0, in a seeded shuffle of its class."""
    ordered = rows.assign(hash=seeded_hash(rows["image_id"], seed)).sort_values(["hash", "image_id"])
    return ordered.groupby("label").cumcount().reindex(rows.index)


def surplus_reasons(rows: pd.DataFrame, params: Balance) -> pd.Series:
    """Return why each surplus row (image_id, label) is dropped: "undersampled", "over the cap"; missing if kept.

    Undersampling reduces every class to the size of the smallest; no class keeps more than `cap` (0: no limit).
    """
    rank = rank_in_class(rows, params.seed)
    reasons = pd.Series(None, rows.index, dtype="str")
    if params.cap:
        reasons[rank >= params.cap] = "over the cap"
    if params.method == "undersample" and len(rows):
        reasons[rank >= rows["label"].value_counts().min()] = "undersampled"
    return reasons


def class_weights(labels: pd.Series) -> pd.Series:
    """Return n / (classes * pictures of the class) for each row: equal total weight per class, mean 1."""
    counts = labels.map(labels.value_counts())
    return len(labels) / (labels.nunique() * counts.astype("float64"))


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
        size, largest = labels.map(labels.value_counts()), labels.value_counts().max()
        extra = rank_in_class(rows[used], params.seed) < largest % size
        result.loc[used, "copies"] = (largest // size + extra).astype("int32")
    return result
