"""The train, validation and test splits; a group of pictures is never divided."""

import numpy as np
import pandas as pd

from darkroom.balance.balance import balance_training, seeded_hash
from darkroom.core.errors import UserError
from darkroom.core.tables import SPLIT_NAMES, SPLITS
from darkroom.curation.duplicates import PRECEDENCE, split_precedence
from darkroom.params.data import Balance, Split
from darkroom.split.feedback import place_feedback
from darkroom.split.stratify import stratify


def assign_splits(
    curated: pd.DataFrame, given: pd.Series, feedback: pd.Series, params: Split, balance: Balance
) -> pd.DataFrame:
    """Return the splits table (tables.SPLITS) of the kept pictures, sorted by image_id.

    `given` maps image_id to the source's own split; it may be missing. A given test or validation split is used as
    it is; only a missing one is drawn from the rest, by groups, stratified by class, seeded with `params.seed`. With
    folds, everything but test, a given validation split too, is divided into them, and fold `params.fold` validates.
    `feedback` (bool, by image_id) tells which pictures are feedback: the others are divided as if there were none, see
    `feedback.place_feedback`.
    Raises UserError when a class would have no training picture.
    """
    kept = curated[curated["keep"]].sort_values("image_id", ignore_index=True)
    new = kept["image_id"].isin(feedback.index[feedback.astype(bool)])
    own, shares = _divide_own(kept[~new], given, params)
    share = shares.get("validation", 0) / (shares["train"] + shares.get("validation", 0))
    splits = place_feedback(own, kept[new], share, params)
    used = splits["reason"].isna()
    _require_training_pictures(splits["label"][used], splits["split"][used], params)
    splits = splits.assign(weight=1.0, copies=used.astype("int32"))
    train = splits[used & (splits["split"] == "train")]
    splits.loc[train.index, ["weight", "copies", "reason"]] = balance_training(train, balance)
    return splits[list(SPLITS)].astype(SPLITS)


def _divide_own(kept: pd.DataFrame, given: pd.Series, params: Split) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the pictures of the source with split, fold and no reason, and the shares of the splits that were cut."""
    split = _given_split(kept, given, params)
    shares = cut_shares(set(split.dropna()), params)
    free = split.isna()
    names = np.array(list(shares), dtype=object)
    split[free] = names[_divide(kept[free], list(shares.values()), params.seed, cover_first=not params.folds)]
    fold = pd.Series(pd.NA, kept.index, dtype="Int32")
    if params.folds:
        rest = split != "test"
        fold[rest] = _divide(kept[rest], [1 / params.folds] * params.folds, params.seed, cover_first=False)
        split[rest] = np.where(fold[rest] == params.fold, "validation", "train")
    return kept.assign(split=split, fold=fold, reason=None), shares


def cut_shares(present: set[str], params: Split) -> dict[str, float]:
    """Return the share of each split that is not in `present`, of the pictures not in those; train comes first."""
    wanted = {"validation": 0.0 if params.folds else params.validation, "test": params.test}
    missing = {name: share for name, share in wanted.items() if share and name not in present}
    return {"train": 1 - sum(missing.values()), **missing}


def straddling_groups(curated: pd.DataFrame, splits: pd.DataFrame) -> int:
    """Return how many groups have pictures in more than one split."""
    placed = splits.merge(curated[["image_id", "group_id"]], on="image_id")
    return _straddling(placed["group_id"], placed["split"])


def require_no_leak(curated: pd.DataFrame, splits: pd.DataFrame, contents: pd.Series) -> None:
    """Raise UserError when a group or a file's content is in two splits, or a picture is listed twice.

    `contents` maps image_id to the sha256 of its file.
    """
    leaks = straddling_groups(curated, splits)
    if leaks or splits["image_id"].duplicated().any():
        raise UserError(f"{leaks} groups of pictures are in two splits: test results would be invalid", status=1)
    same = _straddling(splits["image_id"].map(contents), splits["split"])
    if same:
        raise UserError(f"{same} files of equal content are in two splits: test results would be invalid", status=1)


def _straddling(keys: pd.Series, split: pd.Series) -> int:
    """Return how many keys have rows in more than one split."""
    pairs = pd.DataFrame({"key": keys, "split": split}).drop_duplicates()
    return int(pairs[pairs.duplicated("key")]["key"].nunique())


def require_usable(splits: pd.DataFrame, groups: pd.Series) -> None:
    """Raise UserError unless at least two classes are left and no split is empty.

    `groups` maps image_id to group_id.
    """
    labels = sorted(splits["label"].unique())
    if len(labels) < 2:
        left = f"only class {labels[0]!r} is left" if labels else "no pictures are left"
        raise UserError(
            f"{left} after filters, duplicates and label conflicts; reports/dedupe.json lists what was dropped", 1
        )
    for name in SPLIT_NAMES:
        if name not in set(splits["split"]):
            left = f"{len(splits)} pictures in {splits['image_id'].map(groups).nunique()} groups are left"
            raise UserError(f"the {name} split is empty: {left}; add pictures or use smaller groups", 1)


def _given_split(kept: pd.DataFrame, given: pd.Series, params: Split) -> pd.Series:
    """Return each picture's split where the source decides it: the first in precedence of its group; else missing."""
    names = {number: name for name, number in PRECEDENCE.items()}
    first = split_precedence(kept["image_id"].map(given)).groupby(kept["group_id"]).transform("min")
    decided = ["test"] if params.folds else ["test", "validation"]
    split = first.map(names).astype(object)
    return split.where(split.isin(decided))


def _divide(rows: pd.DataFrame, shares: list[float], seed: int, cover_first: bool) -> np.ndarray:
    """Return the part, 0 to len(shares) - 1, of each row (label, group_id); groups are in a seeded order."""
    codes, names = pd.factorize(rows["group_id"])
    order = (
        pd.DataFrame({"hash": seeded_hash(pd.Series(names), seed), "name": names}).sort_values(["hash", "name"]).index
    )
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    groups = number[codes]
    return stratify(groups, pd.factorize(rows["label"], sort=True)[0], shares, cover_first)[groups]


def _require_training_pictures(labels: pd.Series, split: pd.Series, params: Split) -> None:
    """Raise UserError for a class without a training picture."""
    for label in sorted(set(labels) - set(labels[split == "train"])):
        if params.folds:
            raise UserError(f"class {label!r} has no training pictures in fold {params.fold}; add some", 1)
        raise UserError(f"class {label!r} has no training pictures; add some to the source's train folder", 1)
