"""Duplicates: one of each group is kept, or none when their labels conflict."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.curation.groups import connect, link_equal
from darkroom.params.data import Dedupe

# of duplicates, the one in the given test split is kept, so that a published test split stays complete
PRECEDENCE = {"test": 0, "validation": 1, "train": 2}


def readable_pictures(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest's rows without an error, sorted by image_id, with a new index from 0."""
    return manifest[manifest["error"].isna()].sort_values("image_id", ignore_index=True)


def find_duplicates(pictures: pd.DataFrame, near_pairs: np.ndarray) -> np.ndarray:
    """Return, for each picture, the row number of the first of its exact and near duplicates.

    `near_pairs`: (n, 2) int64, row numbers into `pictures` (readable_pictures).
    """
    return connect(len(pictures), [link_equal(pictures["sha256"]), near_pairs])


def split_precedence(given: pd.Series) -> pd.Series:
    """Return the precedence (int8, PRECEDENCE) of each given split; a missing one counts as train."""
    return given.map(PRECEDENCE).fillna(PRECEDENCE["train"]).astype("int8")


def spans_given_splits(groups: pd.Series, given: pd.Series) -> pd.Series:
    """Return, for each row, whether its group is in more than one of the source's own splits."""
    precedence = split_precedence(given).groupby(groups)
    return precedence.transform("min") != precedence.transform("max")


def has_label_conflict(rows: pd.DataFrame) -> pd.Series:
    """Return, for each row (duplicate_id, label), whether its duplicates have more than one label."""
    several = rows.duplicated("duplicate_id", keep=False)
    labels = rows[several].groupby("duplicate_id")["label"].transform("nunique")
    return (labels > 1).reindex(rows.index, fill_value=False)


def duplicate_reasons(rows: pd.DataFrame, params: Dedupe) -> pd.Series:
    """Return why each duplicate is dropped; missing for those that are kept.

    `rows`: the manifest's columns and duplicate_id. Of each duplicate_id the first in order of precedence is kept:
    test before validation before train, then by `params.keep`. All others of the given test split are kept too. A
    dropped one is an "exact duplicate" when its content is that of a kept one, or of one dropped before it; otherwise
    a "near duplicate". With conflicts "drop", duplicates with several labels are all dropped, except those of the
    given test split when they agree with each other; with "keep", one is kept for each label. Raises UserError with
    conflicts "fail".
    """
    conflict = has_label_conflict(rows)
    if params.conflicts == "fail" and conflict.any():
        examples = format_groups(group_paths(rows[conflict], "duplicate_id"))
        raise UserError(f"the same picture has two labels: {examples}; fix the labels or set dedupe.conflicts", 1)
    copies = _sort_by_precedence(rows[rows.duplicated("duplicate_id", keep=False)], params.keep)
    unique = ["duplicate_id", "label"] if params.conflicts == "keep" else ["duplicate_id"]
    kept = ~copies.duplicated(unique) | (copies["given_split"] == "test")
    copies = pd.concat([copies[kept], copies[~kept]])
    exact = copies.duplicated("sha256")
    reasons = pd.Series("near duplicate", copies.index, dtype="str").mask(exact, "exact duplicate")
    reasons = reasons[~kept.reindex(copies.index)].reindex(rows.index)
    return reasons.mask(conflict & ~_agreed_test(rows), "label conflict") if params.conflicts == "drop" else reasons


def _agreed_test(rows: pd.DataFrame) -> pd.Series:
    """Return, for each row, whether it is in the given test split and its duplicates there all have its label."""
    test = rows[rows["given_split"] == "test"]
    labels = test.groupby("duplicate_id")["label"].transform("nunique")
    return (labels == 1).reindex(rows.index, fill_value=False)


def _sort_by_precedence(rows: pd.DataFrame, keep: str) -> pd.DataFrame:
    """Return the rows sorted so that the one to keep comes first among its duplicates."""
    pixels = rows["width"].astype("int64") * rows["height"].astype("int64")
    order = rows.assign(precedence=split_precedence(rows["given_split"]), fewer=-pixels, smaller=-rows["bytes"])
    size = ["fewer", "smaller"] if keep == "largest" else []
    return order.sort_values(["precedence", *size, "path", "image_id"])


def group_paths(rows: pd.DataFrame, column: str) -> list[list[str]]:
    """Return the paths of each group of equal values in `column`; paths and groups are sorted."""
    return sorted(sorted(paths) for _, paths in rows.groupby(column)["path"])


def format_groups(groups: list[list[str]]) -> str:
    """Return the first few groups of paths as text for a message."""
    shown = "; ".join(" = ".join(paths[:3]) for paths in groups[:3])
    return shown + (f" and {len(groups) - 3} more" if len(groups) > 3 else "")
