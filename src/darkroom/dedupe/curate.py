"""Curation: which pictures are kept, and why the others are dropped."""

from typing import Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import class_weights, surplus_reasons
from darkroom.core.errors import UserError
from darkroom.core.fingerprint import table_digest
from darkroom.core.tables import CURATED
from darkroom.curation.duplicates import (
    duplicate_reasons,
    find_duplicates,
    format_groups,
    group_paths,
    has_label_conflict,
    readable_pictures,
    spans_given_splits,
    split_precedence,
)
from darkroom.curation.groups import find_groups
from darkroom.dedupe.filters import passes_filter
from darkroom.params.data import Balance, Dedupe

EXPLANATIONS = {"shared group": "their group is also in a given test or validation split"}
EXAMPLES = 20  # groups of paths listed in the report


def curate_pictures(manifest: pd.DataFrame, near_pairs: np.ndarray, params: Dedupe, balance: Balance) -> pd.DataFrame:
    """Return the curated table (tables.CURATED), one row per readable picture, sorted by image_id.

    `near_pairs`: (n, 2) int64, row numbers into readable_pictures(manifest). Reasons are assigned in this order:
    filters, duplicates and label conflicts, groups across the source's own splits, balance. Raises UserError for
    conflicts or crossing groups where the parameters say "fail".
    """
    pictures = readable_pictures(manifest)
    ids = pictures["image_id"].to_numpy()
    duplicates = find_duplicates(pictures, near_pairs)
    groups = find_groups(pictures, duplicates, params.group_by)
    rows = pictures.assign(duplicate_id=ids[duplicates], group_id=ids[groups])
    passes = passes_filter(pictures, params.filter)
    if params.across_splits == "fail":
        _require_whole_groups(rows[passes])
    reason = pd.Series("filtered", rows.index, dtype="str").mask(passes, duplicate_reasons(rows[passes], params))
    reason = reason.fillna(_shared_group(rows[reason.isna()]))
    free = rows[reason.isna() & (rows["given_split"] != "test")]
    if balance.scope == "all":
        reason = reason.fillna(surplus_reasons(free, balance))
    weight = pd.Series(1.0, rows.index)
    if balance.method == "class_weight":
        weight[free.index] = class_weights(free["label"])
    return rows.assign(keep=reason.isna(), reason=reason, weight=weight)[list(CURATED)].astype(CURATED)


def _require_whole_groups(rows: pd.DataFrame) -> None:
    """Raise UserError when a group is in more than one of the source's own splits."""
    crossing = spans_given_splits(rows["group_id"], rows["given_split"])
    if crossing.any():
        examples = format_groups(group_paths(rows[crossing], "group_id"))
        text = f"duplicates or groups are in more than one of the source's own splits: {examples}"
        raise UserError(f"{text}; move each to one split, or set dedupe.across_splits to drop", 1)


def _shared_group(rows: pd.DataFrame) -> pd.Series:
    """Return "shared group" for pictures whose group is also in a given split of higher precedence, else missing."""
    precedence = split_precedence(rows["given_split"])
    shared = precedence > precedence.groupby(rows["group_id"]).transform("min")
    return pd.Series(None, rows.index, dtype="str").mask(shared, "shared group")


def headline(report: dict[str, Any]) -> str:
    """Return the stage's result in one line for the terminal."""
    text = f"dedupe: {report['kept']} pictures kept"
    for reason, count in sorted(report["dropped_because"].items()):
        text += f"; {count} dropped: {EXPLANATIONS.get(reason, reason)}"
    if report["across_splits"]:
        text += f"; {report['across_splits']} duplicates across the given splits"
    listed = report["conflicts"] or report["across_splits"]
    return text + ("; reports/dedupe.json lists the paths" if listed else "")


def summarise(curated: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, Any]:
    """Return the report: pictures kept and dropped, by reason, and the paths of conflicts."""
    facts = readable_pictures(manifest)[["path", "given_split", "feedback"]]
    rows = curated.reset_index(drop=True).join(facts)  # the same rows
    rows = rows[(rows["reason"] != "filtered") & ~rows["feedback"]]
    reasons = curated["reason"].value_counts()
    conflicts = group_paths(rows[has_label_conflict(rows)], "duplicate_id")
    across = group_paths(rows[spans_given_splits(rows["duplicate_id"], rows["given_split"])], "duplicate_id")
    return {
        "exact_duplicates": int(reasons.get("exact duplicate", 0)),
        "near_duplicates": int(reasons.get("near duplicate", 0)),
        "conflicts": len(conflicts),
        "conflict_paths": conflicts,
        "across_splits": len(across),
        "across_splits_paths": across[:EXAMPLES],
        "groups": int(rows["group_id"].nunique()),
        "filtered": int(reasons.get("filtered", 0)),
        "kept": int(curated["keep"].sum()),
        "kept_per_class": curated[curated["keep"]]["label"].value_counts().sort_index().to_dict(),
        "dropped_because": reasons.sort_index().to_dict(),
        "digest": table_digest(curated[["image_id", "keep"]]),
    }
