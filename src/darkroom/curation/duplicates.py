"""Duplicates: one of each group is kept, or none when their labels conflict."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.curation.groups import connect, differ_in_group, is_shared, link_first
from darkroom.curation.pictures import REASON, Pictures
from darkroom.params.data import Dedupe

# of duplicates, the one in the given test split is kept, so that a published test split stays complete
PRECEDENCE = {"test": 0, "validation": 1, "train": 2}


def find_duplicates(contents: np.ndarray, near_pairs: np.ndarray) -> np.ndarray:
    """Return, for each picture, the row number of the first of its exact and near duplicates.

    `contents` (n,) are the numbers of the first row with the same content; `near_pairs` (m, 2) int64 row numbers.
    """
    return connect(len(contents), [link_first(contents), near_pairs])


def split_precedence(given: pd.Series) -> pd.Series:
    """Return the precedence (int8, PRECEDENCE) of each given split; a missing one counts as train."""
    return given.map(PRECEDENCE).astype("float32").fillna(PRECEDENCE["train"]).astype("int8")


def spans_given_splits(groups: pd.Series, given: pd.Series) -> pd.Series:
    """Return, for each row, whether its group (a number) is in more than one of the source's own splits."""
    return pd.Series(differ_in_group(groups.to_numpy(), split_precedence(given).to_numpy()), groups.index)


def has_label_conflict(rows: pd.DataFrame) -> pd.Series:
    """Return, for each row (duplicate_id, label), whether its duplicates have more than one label."""
    labels = rows["label"].cat.codes.to_numpy(np.int32)
    return pd.Series(differ_in_group(rows["duplicate_id"].to_numpy(), labels), rows.index)


def repeated_rows(rows: pd.DataFrame, pictures: Pictures) -> pd.DataFrame:
    """Return the rows that share their duplicate_id with others, with their path."""
    copies = rows[is_shared(rows["duplicate_id"].to_numpy())]
    return copies.assign(path=pictures.texts("path", copies.index))


def duplicate_reasons(copies: pd.DataFrame, params: Dedupe) -> pd.Series:
    """Return why each duplicate is dropped; missing for those that are kept.

    `copies`: those with others of their duplicate_id; their label, given_split, width, height, bytes, path and sha256.
    Of each duplicate_id the first in order of precedence is kept: test before validation before train, then by
    `params.keep`. All others of the given test split are kept too. A dropped one is an "exact duplicate" when its
    content is that of a kept one, or of one dropped before it; otherwise a "near duplicate". With conflicts "drop",
    duplicates with several labels are all dropped, except those of the given test split when they agree with each
    other; with "keep", one is kept for each label. Raises UserError with conflicts "fail".
    """
    conflict = has_label_conflict(copies)
    if params.conflicts == "fail" and conflict.any():
        examples = format_groups(group_paths(copies[conflict], "duplicate_id"))
        raise UserError(f"the same picture has two labels: {examples}; fix the labels or set dedupe.conflicts", 1)
    ordered = _sort_by_precedence(copies, params.keep)
    unique = ["duplicate_id", "label"] if params.conflicts == "keep" else ["duplicate_id"]
    kept = ~ordered.duplicated(unique) | (ordered["given_split"] == "test")
    ordered = pd.concat([ordered[kept], ordered[~kept]])
    exact = ordered.duplicated("sha256")
    reasons = pd.Series("near duplicate", ordered.index, dtype=REASON).mask(exact, "exact duplicate")
    reasons = reasons.mask(kept).reindex(copies.index)
    return reasons.mask(conflict & ~_agreed_test(copies), "label conflict") if params.conflicts == "drop" else reasons


def _agreed_test(rows: pd.DataFrame) -> pd.Series:
    """Return, for each row, whether it is in the given test split and its duplicates there all have its label."""
    return (~has_label_conflict(rows[rows["given_split"] == "test"])).reindex(rows.index, fill_value=False)


def _sort_by_precedence(rows: pd.DataFrame, keep: str) -> pd.DataFrame:
    """Return the rows sorted so that the one to keep comes first among its duplicates; equal ones stay in order."""
    pixels = rows["width"].astype("int64") * rows["height"].astype("int64")
    order = rows.assign(precedence=split_precedence(rows["given_split"]), fewer=-pixels, smaller=-rows["bytes"])
    size = ["fewer", "smaller"] if keep == "largest" else []
    return order.sort_values(["precedence", *size, "path"], kind="stable")


def group_paths(rows: pd.DataFrame, column: str) -> list[list[str]]:
    """Return the paths of each group of equal values in `column`; paths and groups are sorted."""
    return sorted(sorted(paths) for _, paths in rows.groupby(column)["path"])


def format_groups(groups: list[list[str]]) -> str:
    """Return the first few groups of paths as text for a message."""
    shown = "; ".join(" = ".join(paths[:3]) for paths in groups[:3])
    return shown + (f" and {len(groups) - 3} more" if len(groups) > 3 else "")
