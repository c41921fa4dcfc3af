"""Feedback among the splits: the source's own pictures stay where they are, and none joins test."""

import numpy as np
import pandas as pd

from darkroom.balance.balance import seeded_hash
from darkroom.core.tables import CORRECTED, SPLIT_NAMES
from darkroom.params.data import Split

SPLIT = pd.CategoricalDtype(list(SPLIT_NAMES))


def place_feedback(
    own: pd.DataFrame, new: pd.DataFrame, ids: pd.Series, validation: float, params: Split
) -> pd.DataFrame:
    """Return `own` with split and fold and the kept feedback `new`, rows of the curated pictures, that can be placed.

    Feedback of a group that is in train or validation follows it, and takes the place of a picture that it repeats
    with another label; of a group in test it is left out. Other groups go by a seeded hash to validation, with the
    probability `validation`, or to train; with folds, to any fold. So later feedback moves no earlier one.
    """
    if new.empty:
        return own
    placed = _with_places_of_groups(own, new)
    placed = placed[placed["split"] != "test"]
    free = placed["split"].isna()
    chance = seeded_hash(ids.iloc[placed["group_id"][free]], params.seed) / 2.0**64
    if params.folds:
        drawn = np.minimum((chance * params.folds).astype(int), params.folds - 1)
        placed.loc[free, "fold"] = drawn
        placed.loc[free, "split"] = np.where(drawn == params.fold, "validation", "train")
    else:
        placed.loc[free, "split"] = np.where(chance < validation, "validation", "train")
    replaced = own["duplicate_id"].isin(placed["duplicate_id"]) & (own["split"] != "test")
    own = own.assign(reason=own["reason"].mask(replaced, CORRECTED))
    return pd.concat([own, placed]).sort_index()


def _with_places_of_groups(own: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return `new` with the columns of `own`: split and fold of its group there, missing where there is none."""
    places = own.drop_duplicates("group_id").set_index("group_id")[["split", "fold"]].reindex(new["group_id"])
    reason = pd.Series(None, new.index, dtype=own["reason"].dtype)
    return new.assign(split=places["split"].array, fold=places["fold"].array, reason=reason)[list(own)]
