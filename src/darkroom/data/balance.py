"""How many pictures of each class are used."""

import hashlib

import pandas as pd


def rank(ids: pd.Series, seed: int) -> pd.Series:
    """Return a seeded number for each id. It depends on nothing but the id, so other pictures do not move it."""
    return ids.map(lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest())


def undersample(curated: pd.DataFrame, given_test: pd.Series, seed: int) -> pd.DataFrame:
    """Return `curated` with every class down to the size of the smallest; a given test split stays as it is.

    `given_test` tells for each row whether the source gives it as test.
    """
    candidates = curated[curated["keep"] & ~given_test]
    smallest = candidates["label"].value_counts().min()
    ordered = candidates.assign(rank=rank(candidates["image_id"], seed)).sort_values(["label", "rank"])
    surplus = ordered.index[ordered.groupby("label").cumcount() >= smallest]
    balanced = curated.copy()
    balanced.loc[surplus, "reason"] = "undersampled"
    balanced["keep"] = balanced["reason"].isna()
    return balanced
