"""The train, validation and test splits; a group of pictures is never divided."""

import numpy as np
import pandas as pd

from darkroom.balance.balance import balance_training, seeded_hash
from darkroom.core.errors import UserError
from darkroom.core.tables import SPLIT_NAMES, SPLITS
from darkroom.curation.duplicates import PRECEDENCE, split_precedence
from darkroom.curation.groups import lowest_in_group
from darkroom.curation.pictures import REASON
from darkroom.params.data import Balance, Split
from darkroom.split.feedback import SPLIT, place_feedback
from darkroom.split.stratify import stratify


def assign_splits(curated: pd.DataFrame, ids: pd.Series, params: Split, balance: Balance) -> pd.DataFrame:
    """Return the columns of tables.SPLITS of the kept pictures, by row number; `to_table` makes it that table.

    `curated` is what `to_numbers` returns, with given_split, the source's own, and feedback; `ids` the image_id of its
    rows. A given test or validation split is used as it is; only a missing one is drawn from the rest, by groups,
    stratified by class, seeded with `params.seed`. With folds, everything but test, a given validation split too, is
    divided into them, and fold `params.fold` validates. Pictures that are no feedback are divided as if there were
    none, see `feedback.place_feedback`.
    Raises UserError when a class would have no training picture.
    """
    kept = curated.loc[curated["keep"], ["label", "duplicate_id", "group_id", "given_split", "feedback"]]
    own, shares = _divide_own(kept[~kept["feedback"]], ids, params)
    share = shares.get("validation", 0) / (shares["train"] + shares.get("validation", 0))
    splits = place_feedback(own, kept[kept["feedback"]], ids, share, params)
    used = splits["reason"].isna()
    _require_training_pictures(splits["label"][used], splits["split"][used], params)
    splits = splits[["label", "split", "fold", "reason"]].assign(weight=1.0, copies=used.astype("int32"))
    train = splits.loc[used & (splits["split"] == "train"), ["label"]]
    balanced = balance_training(train.assign(image_id=ids.iloc[train.index]), balance)
    for name in balanced:
        splits.loc[train.index, name] = balanced[name].astype(splits[name].dtype)
    return splits


def to_table(splits: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return the table SPLITS from the one by row number; `ids` are those of all rows."""
    return splits.assign(image_id=ids.iloc[splits.index])[list(SPLITS)].astype(SPLITS).reset_index(drop=True)


def _divide_own(kept: pd.DataFrame, ids: pd.Series, params: Split) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the pictures of the source with split, fold and no reason, and the shares of the splits that were cut."""
    split = _given_split(kept, params)
    shares = cut_shares(set(split.dropna().unique()), params)
    free = split.isna()
    names = pd.Categorical(list(shares), dtype=SPLIT)
    split[free] = names[_divide(kept[free], ids, list(shares.values()), params.seed, cover_first=not params.folds)]
    fold = pd.Series(pd.NA, kept.index, dtype="Int32")
    if params.folds:
        rest = split != "test"
        fold[rest] = _divide(kept[rest], ids, [1 / params.folds] * params.folds, params.seed, cover_first=False)
        split[rest] = np.where(fold[rest] == params.fold, "validation", "train")
    reason = pd.Series(None, kept.index, dtype=REASON)
    return kept[["label", "duplicate_id", "group_id"]].assign(split=split, fold=fold, reason=reason), shares


def cut_shares(present: set[str], params: Split) -> dict[str, float]:
    """Return the share of each split that is not in `present`, of the pictures not in those; train comes first."""
    wanted = {"validation": 0.0 if params.folds else params.validation, "test": params.test}
    missing = {name: share for name, share in wanted.items() if share and name not in present}
    return {"train": 1 - sum(missing.values()), **missing}


def straddling_groups(curated: pd.DataFrame, splits: pd.DataFrame) -> int:
    """Return how many groups have pictures in more than one split."""
    return _straddling(curated["group_id"].to_numpy()[splits.index], splits["split"])


def require_no_leak(curated: pd.DataFrame, splits: pd.DataFrame, contents: np.ndarray) -> None:
    """Raise UserError when a group or a file's content is in two splits, or a picture is listed twice.

    `contents` (n,) is for each row of `curated` the number of the first row with the same content.
    """
    leaks = straddling_groups(curated, splits)
    if leaks or not splits.index.is_unique:
        raise UserError(f"{leaks} groups of pictures are in two splits: test results would be invalid", status=1)
    same = _straddling(contents[splits.index], splits["split"])
    if same:
        raise UserError(f"{same} files of equal content are in two splits: test results would be invalid", status=1)


def _straddling(keys: np.ndarray, split: pd.Series) -> int:
    """Return how many keys, row numbers, have rows in more than one split."""
    sides = np.zeros(keys.max(initial=-1) + 1, np.int8)
    for name in SPLIT_NAMES:
        present = np.zeros(len(sides), bool)
        present[keys[split == name]] = True
        sides += present
    return int((sides > 1).sum())


def require_usable(splits: pd.DataFrame, groups: pd.Series) -> None:
    """Raise UserError unless at least two classes are left and no split is empty; `groups` are those of all rows."""
    labels = sorted(splits["label"].unique())
    if len(labels) < 2:
        left = f"only class {labels[0]!r} is left" if labels else "no pictures are left"
        raise UserError(
            f"{left} after filters, duplicates and label conflicts; reports/dedupe.json lists what was dropped", 1
        )
    for name in SPLIT_NAMES:
        if not (splits["split"] == name).any():
            left = f"{len(splits)} pictures in {groups[splits.index].nunique()} groups are left"
            raise UserError(f"the {name} split is empty: {left}; add pictures or use smaller groups", 1)


def _given_split(kept: pd.DataFrame, params: Split) -> pd.Series:
    """Return each picture's split where the source decides it: the first in precedence of its group; else missing."""
    first = lowest_in_group(kept["group_id"].to_numpy(), split_precedence(kept["given_split"]).to_numpy())
    codes = np.full(len(kept), -1, np.int8)
    for name in ["test"] if params.folds else ["test", "validation"]:
        codes[first == PRECEDENCE[name]] = SPLIT_NAMES.index(name)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=SPLIT), kept.index)


def _divide(rows: pd.DataFrame, ids: pd.Series, shares: list[float], seed: int, cover_first: bool) -> np.ndarray:
    """Return the part, 0 to len(shares) - 1, of each row (label, group_id); groups are in a seeded order."""
    codes, names = pd.factorize(rows["group_id"])
    order = np.lexsort((names, seeded_hash(ids.iloc[names], seed)))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    groups = number[codes]
    return stratify(groups, pd.factorize(rows["label"], sort=True)[0], shares, cover_first)[groups]


def _require_training_pictures(labels: pd.Series, split: pd.Series, params: Split) -> None:
    """Raise UserError for a class without a training picture."""
    for label in sorted(set(labels.unique()) - set(labels[split == "train"].unique())):
        if params.folds:
            raise UserError(f"class {label!r} has no training pictures in fold {params.fold}; add some", 1)
        raise UserError(f"class {label!r} has no training pictures; add some to the source's train folder", 1)
