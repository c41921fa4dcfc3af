"""Which pictures train, choose and measure the model. Groups of duplicates are never divided."""

from typing import Any

import pandas as pd

from darkroom.data.balance import rank
from darkroom.errors import UserError
from darkroom.files import digest
from darkroom.params.schema import Split
from darkroom.tables import SPLIT_NAMES, SPLITS


def assign_splits(curated: pd.DataFrame, given: pd.Series, params: Split) -> pd.DataFrame:
    """Return the splits table (tables.SPLITS) of the kept pictures, sorted by image_id.

    Stratified: each class is divided alike, in a seeded order of its groups. `given` maps image_id to the
    source's own split or to nothing. A given test or validation split is taken as it is, and only a missing
    one is cut from the rest. Raises UserError when a class would have nothing to train on.
    """
    kept = curated[curated["keep"]].sort_values("image_id", ignore_index=True)
    groups = _group_table(kept, kept["image_id"].map(given))
    shares = _missing_shares(groups["given"], params)
    groups["split"] = groups["given"].where(groups["given"].isin(["validation", "test"]))
    for _, members in groups[groups["split"].isna()].groupby("label"):
        groups.loc[members.index, "split"] = _divide(members, shares, params.seed)
    _require_training_pictures(groups)
    splits = kept.assign(split=kept["group_id"].map(groups["split"]))
    return splits.astype(SPLITS)[list(SPLITS)]


def straddling_groups(curated: pd.DataFrame, splits: pd.DataFrame) -> int:
    """Return how many groups of duplicates have pictures in more than one split."""
    placed = splits.merge(curated[["image_id", "group_id"]], on="image_id")
    return int((placed.groupby("group_id")["split"].nunique() > 1).sum())


def require_no_leak(curated: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Raise UserError when a group straddles splits or a picture has two; the proof, run every time."""
    leaks = straddling_groups(curated, splits)
    if leaks or splits["image_id"].duplicated().any():
        raise UserError(f"{leaks} groups of duplicates are in two splits: the test would be no test", status=1)


def require_usable(splits: pd.DataFrame) -> None:
    """Raise UserError unless two classes or more are left and no split is empty."""
    labels = sorted(splits["label"].unique())
    if len(labels) < 2:
        left = f"only class {labels[0]!r} is left" if labels else "no picture is left"
        raise UserError(f"{left} after duplicates and label conflicts; reports/dedupe.json says what went", 1)
    for name in SPLIT_NAMES:
        if name not in set(splits["split"]):
            raise UserError(f"the {name} split is empty with {len(splits)} pictures in all; give more pictures", 1)


def summarise(curated: pd.DataFrame, splits: pd.DataFrame) -> dict[str, Any]:
    """Return the report: pictures in each split, by class too, and the proof that no group straddles."""
    counts = splits["split"].value_counts()
    table = splits.groupby(["label", "split"]).size().unstack(fill_value=0)
    return {
        **{name: int(counts.get(name, 0)) for name in SPLIT_NAMES},
        "straddling_groups": straddling_groups(curated, splits),
        "per_class": {str(label): {str(k): int(v) for k, v in row.items()} for label, row in table.iterrows()},
        "digest": digest(splits.to_numpy().tolist()),
    }


def _group_table(kept: pd.DataFrame, given: pd.Series) -> pd.DataFrame:
    """Return a row a group, indexed by group_id: size, most frequent label, given split (test before the others)."""
    order = {"test": 0, "validation": 1, "train": 2}
    strongest = given.map(order).groupby(kept["group_id"]).min().map({v: k for k, v in order.items()})
    counts = kept.groupby(["group_id", "label"], as_index=False).size()
    ordered = counts.sort_values(["group_id", "size", "label"], ascending=[True, False, True])
    labels = ordered.drop_duplicates("group_id").set_index("group_id")["label"]
    return pd.DataFrame({"size": kept["group_id"].value_counts(), "label": labels, "given": strongest}).sort_index()


def _missing_shares(given: pd.Series, params: Split) -> dict[str, float]:
    """Return the shares still to be cut, of the pictures that the source does not give as test or validation."""
    present = set(given.dropna())
    wanted = {"test": params.test, "validation": params.validation}
    return {name: share for name, share in wanted.items() if name not in present}


def _divide(groups: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """Return the split of each group of one class: the first ones in seeded order fill test, then validation.

    At least one group is left to train on.
    """
    ordered = groups.loc[rank(pd.Series(groups.index, groups.index), seed).sort_values().index]
    split = pd.Series("train", index=ordered.index, dtype=object)
    before = ordered["size"].cumsum() - ordered["size"]
    total, start = int(ordered["size"].sum()), 0
    for name, share in shares.items():
        end = start + max(round(share * total), 1 if len(ordered) > len(shares) else 0)
        split[(before >= start) & (before < end) & (split == "train")] = name
        start = end
    if (split == "train").sum() == 0:
        split.iloc[-1] = "train"
    return split


def _require_training_pictures(groups: pd.DataFrame) -> None:
    for label, splits in groups.groupby("label")["split"]:
        if "train" not in set(splits):
            raise UserError(f"class {label!r} has no picture to train on; give it some in the source's train folder", 1)
