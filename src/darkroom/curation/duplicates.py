"""Pictures that look the same: one stays, or none when their labels contradict each other."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.curation.groups import connect, link_equal
from darkroom.params.data import Dedupe

# of duplicates those given as test are kept, so that a published test split stays whole
PRECEDENCE = {"test": 0, "validation": 1, "train": 2}


def readable_pictures(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the manifest without an error, sorted by image_id, numbered from 0."""
    return manifest[manifest["error"].isna()].sort_values("image_id", ignore_index=True)


def find_duplicates(pictures: pd.DataFrame, near_pairs: np.ndarray) -> np.ndarray:
    """Return for each picture the row number of the first of its exact and near duplicates.

    `near_pairs`: (n, 2) int64, row numbers into `pictures` (readable_pictures).
    """
    return connect(len(pictures), [link_equal(pictures["sha256"]), near_pairs])


def split_precedence(given: pd.Series) -> pd.Series:
    """Return the precedence of each given split; what the source gives no split counts as train."""
    return given.map(PRECEDENCE).fillna(PRECEDENCE["train"]).astype("int8")


def across_borders(groups: pd.Series, given: pd.Series) -> pd.Series:
    """Return for each row whether its group is in several of the splits that the source gives."""
    precedence = split_precedence(given).groupby(groups)
    return precedence.transform("min") != precedence.transform("max")


def in_conflict(rows: pd.DataFrame) -> pd.Series:
    """Return for each row (duplicate_id, label) whether its duplicates have more than one label."""
    several = rows.duplicated("duplicate_id", keep=False)
    labels = rows[several].groupby("duplicate_id")["label"].transform("nunique")
    return (labels > 1).reindex(rows.index, fill_value=False)


def duplicate_reasons(rows: pd.DataFrame, params: Dedupe) -> pd.Series:
    """Return why each duplicate is left out; missing for those that stay.

    `rows`: the manifest's columns and duplicate_id. Of each duplicate_id the first in precedence stays: test before
    validation before train, then by `params.keep`; with it stay all others that the source gives as test. One left
    out is an "exact duplicate" when its content is that of one that stays, or of one left out before it; else a "near
    duplicate". With conflicts "drop" all go that are under several labels, but those given as test when these agree
    among themselves; with "keep" one stays for each label. Raises UserError with conflicts "fail".
    """
    conflict = in_conflict(rows)
    if params.conflicts == "fail" and conflict.any():
        examples = describe_groups(list_groups(rows[conflict], "duplicate_id"))
        raise UserError(f"the same picture has two labels: {examples}; fix the labels or set dedupe.conflicts", 1)
    copies = _in_precedence(rows[rows.duplicated("duplicate_id", keep=False)], params.keep)
    alike = ["duplicate_id", "label"] if params.conflicts == "keep" else ["duplicate_id"]
    stays = ~copies.duplicated(alike) | (copies["given_split"] == "test")
    copies = pd.concat([copies[stays], copies[~stays]])
    exact = copies.duplicated("sha256")
    reasons = pd.Series("near duplicate", copies.index, dtype="str").mask(exact, "exact duplicate")
    reasons = reasons[~stays.reindex(copies.index)].reindex(rows.index)
    return reasons.mask(conflict & ~_agreed_test(rows), "label conflict") if params.conflicts == "drop" else reasons


def _agreed_test(rows: pd.DataFrame) -> pd.Series:
    """Return for each row whether it is given as test and all others of its duplicates given as test have its label."""
    test = rows[rows["given_split"] == "test"]
    labels = test.groupby("duplicate_id")["label"].transform("nunique")
    return (labels == 1).reindex(rows.index, fill_value=False)


def _in_precedence(rows: pd.DataFrame, keep: str) -> pd.DataFrame:
    """Return the rows with those first that stay before others."""
    pixels = rows["width"].astype("int64") * rows["height"].astype("int64")
    order = rows.assign(precedence=split_precedence(rows["given_split"]), fewer=-pixels, smaller=-rows["bytes"])
    size = ["fewer", "smaller"] if keep == "largest" else []
    return order.sort_values(["precedence", *size, "path", "image_id"])


def list_groups(rows: pd.DataFrame, column: str) -> list[list[str]]:
    """Return the paths of each group that `column` names, both sorted."""
    return sorted(sorted(paths) for _, paths in rows.groupby(column)["path"])


def describe_groups(groups: list[list[str]]) -> str:
    """Return a few groups of paths for a message."""
    shown = "; ".join(" = ".join(paths[:3]) for paths in groups[:3])
    return shown + (f" and {len(groups) - 3} more" if len(groups) > 3 else "")
