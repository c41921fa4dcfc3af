"""Curation: which pictures are kept, and why the others are dropped."""

from typing import Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import class_sizes, class_weights, surplus_reasons
from darkroom.core.errors import UserError
from darkroom.core.fingerprint import table_digest
from darkroom.curation.duplicates import (
    duplicate_reasons,
    find_duplicates,
    format_groups,
    group_paths,
    has_label_conflict,
    repeated_rows,
    spans_given_splits,
    split_precedence,
)
from darkroom.curation.groups import find_groups, lowest_in_group
from darkroom.curation.pictures import REASON, Pictures
from darkroom.dedupe.filters import passes_filter
from darkroom.params.data import Balance, Dedupe

EXPLANATIONS = {"shared group": "their group is also in a given test or validation split"}
EXAMPLES = 20  # groups of paths listed in the report
FACTS = ["sha256", "label", "given_split", "bytes", "width", "height", "format", "mode"]


def curate_pictures(pictures: Pictures, near_pairs: np.ndarray, params: Dedupe, balance: Balance) -> pd.DataFrame:
    """Return the columns of tables.CURATED, duplicate_id and group_id as row numbers; `to_names` makes it that table.

    `near_pairs`: (n, 2) int64, row numbers. Reasons are assigned in this order: filters, duplicates and label
    conflicts, groups across the source's own splits, balance. Raises UserError for conflicts or crossing groups where
    the parameters say "fail".
    """
    rows = pictures.table(FACTS)
    rows["duplicate_id"] = find_duplicates(rows["sha256"].to_numpy(), near_pairs)
    rows["group_id"] = find_groups(pictures, rows["duplicate_id"].to_numpy(), params.group_by)
    passes = passes_filter(rows, params.filter)
    if params.across_splits == "fail":
        _require_whole_groups(rows[passes], pictures)
    found = duplicate_reasons(repeated_rows(rows[passes], pictures), params)
    reason = pd.Series("filtered", rows.index, dtype=REASON).mask(passes, found)
    rows = rows[["label", "given_split", "duplicate_id", "group_id"]]
    reason = reason.mask(_shared_group(rows[reason.isna()]).reindex(rows.index, fill_value=False), "shared group")
    free = rows.loc[reason.isna() & (rows["given_split"] != "test"), ["label"]]
    if balance.scope == "all":
        surplus = surplus_reasons(free.assign(image_id=pictures.texts("image_id", free.index)), balance)
        reason = reason.fillna(surplus.astype(REASON))
    weight = pd.Series(1.0, rows.index)
    if balance.method == "class_weight":
        weight[free.index] = class_weights(free["label"])
    return rows.drop(columns="given_split").assign(keep=reason.isna(), reason=reason, weight=weight)


def _require_whole_groups(rows: pd.DataFrame, pictures: Pictures) -> None:
    """Raise UserError when a group is in more than one of the source's own splits."""
    crossing = rows[spans_given_splits(rows["group_id"], rows["given_split"])]
    if len(crossing):
        paths = crossing.assign(path=pictures.texts("path", crossing.index))
        examples = format_groups(group_paths(paths, "group_id"))
        text = f"duplicates or groups are in more than one of the source's own splits: {examples}"
        raise UserError(f"{text}; move each to one split, or set dedupe.across_splits to drop", 1)


def _shared_group(rows: pd.DataFrame) -> pd.Series:
    """Return whether the group of each picture is also in a given split of higher precedence."""
    precedence = split_precedence(rows["given_split"])
    return precedence > lowest_in_group(rows["group_id"].to_numpy(), precedence.to_numpy())


def headline(report: dict[str, Any]) -> str:
    """Return the stage's result in one line for the terminal."""
    text = f"dedupe: {report['kept']} pictures kept"
    for reason, count in sorted(report["dropped_because"].items()):
        text += f"; {count} dropped: {EXPLANATIONS.get(reason, reason)}"
    if report["across_splits"]:
        text += f"; {report['across_splits']} duplicates across the given splits"
    listed = report["conflicts"] or report["across_splits"]
    return text + ("; reports/dedupe.json lists the paths" if listed else "")


def summarise(curated: pd.DataFrame, pictures: Pictures) -> dict[str, Any]:
    """Return the report: pictures kept and dropped, by reason, and the paths of conflicts."""
    rows = curated[["label", "duplicate_id", "group_id"]].join(pictures.table(["given_split", "feedback"]))
    rows = rows[(curated["reason"] != "filtered") & ~rows["feedback"]]
    copies = repeated_rows(rows, pictures)
    conflicts = group_paths(copies[has_label_conflict(copies)], "duplicate_id")
    across = group_paths(copies[spans_given_splits(copies["duplicate_id"], copies["given_split"])], "duplicate_id")
    reasons = curated["reason"].value_counts()
    return {
        "exact_duplicates": int(reasons["exact duplicate"]),
        "near_duplicates": int(reasons["near duplicate"]),
        "conflicts": len(conflicts),
        "conflict_paths": conflicts,
        "across_splits": len(across),
        "across_splits_paths": across[:EXAMPLES],
        "groups": int(rows["group_id"].nunique()),
        "filtered": int(reasons["filtered"]),
        "kept": int(curated["keep"].sum()),
        "kept_per_class": class_sizes(curated["label"][curated["keep"]]).sort_index().to_dict(),
        "dropped_because": {name: int(count) for name, count in sorted(reasons.items()) if count},
        "digest": table_digest(pd.DataFrame({"image_id": pictures.texts("image_id"), "keep": curated["keep"]})),
    }
