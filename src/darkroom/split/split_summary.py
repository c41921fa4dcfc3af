"""The report on the split: sizes, deviation from the requested shares, leakage of a naive split."""

from typing import Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import seeded_hash
from darkroom.core.fingerprint import table_digest
from darkroom.core.tables import CORRECTED, SPLIT_NAMES
from darkroom.curation.duplicates import PRECEDENCE, split_precedence
from darkroom.params.data import Split
from darkroom.split.splits import cut_shares, straddling_groups, to_table


def summarise(curated: pd.DataFrame, splits: pd.DataFrame, ids: pd.Series, params: Split) -> dict[str, Any]:
    """Return the report: pictures in each split, in total and by class, and how many groups straddle splits.

    `curated` and `ids` are those of `assign_splits`. `deviation` is the largest difference between the actual and the
    requested share of a split; `class_deviation` is that of one class in one split, also as a share of all pictures.
    A given split counts as requested.
    """
    counts, table = _counts(splits), to_table(splits, ids)
    own = curated.loc[splits.index, ["given_split", "feedback"]]
    own = own[~own["feedback"]]  # shares are asked of the source alone
    return {
        **{name: int(counts[name].sum()) for name in SPLIT_NAMES},
        "shares": {name: float(counts[name].sum() / len(splits)) for name in SPLIT_NAMES},
        **_deviations(splits.loc[own.index], set(own["given_split"].dropna().unique()), params),
        "feedback": _feedback(curated, splits),
        "folds": splits["fold"].value_counts().sort_index().tolist(),
        "balance": _balance(splits[splits["split"] == "train"]),
        "unused_because": table["reason"].value_counts().sort_index().to_dict(),
        "straddling_groups": straddling_groups(curated, splits),
        "naive_leak": naive_leak(curated, ids, params),
        "per_class": {str(label): {str(k): int(v) for k, v in row.items()} for label, row in counts.iterrows()},
        "digest": table_digest(table),
        **{f"{name}_digest": _digest_of(table, name) for name in ("validation", "test")},
    }


def _counts(splits: pd.DataFrame) -> pd.DataFrame:
    """Return the number of pictures of each class (row) in each split (column)."""
    counts = splits.groupby(["label", "split"], observed=True).size().unstack(fill_value=0)
    return counts.set_axis(counts.columns.astype("str"), axis=1).reindex(columns=list(SPLIT_NAMES), fill_value=0)


def _deviations(splits: pd.DataFrame, present: set[str], params: Split) -> dict[str, float]:
    """Return how far the shares are from the requested ones; `present` are the splits that the source has itself."""
    counts = _counts(splits)
    excess = counts - _requested(counts, present, params)
    return {
        "deviation": float(excess.sum().abs().max() / len(splits)),
        "class_deviation": float(excess.abs().max().max() / len(splits)),
    }


def _digest_of(table: pd.DataFrame, name: str) -> str:
    """Return the digest of the pictures and labels of one split."""
    return table_digest(table.loc[table["split"] == name, ["image_id", "label"]])


def _feedback(curated: pd.DataFrame, splits: pd.DataFrame) -> dict[str, int]:
    """Return how many pictures of feedback joined each split, corrected a picture, or were left out: test has them."""
    joined = splits["split"][curated["feedback"][splits.index]].value_counts()
    return {
        **{name: int(joined.get(name, 0)) for name in ("train", "validation")},
        "corrected": int((splits["reason"] == CORRECTED).sum()),
        "in_test": int((curated["keep"] & curated["feedback"]).sum() - joined.sum()),
    }


def headline(report: dict[str, Any]) -> str:
    """Return the stage's result in one line for the terminal."""
    sizes = ", ".join(f"{report[name]} {name}" for name in SPLIT_NAMES)
    text = f"split: {sizes}; shares met within {report['deviation']:.1%}"
    for reason, count in report["unused_because"].items():
        text += f"; {count} pictures not used: {reason}"
    if sum((feedback := report["feedback"]).values()):
        text += f"; feedback: {feedback['train']} in train, {feedback['validation']} in validation"
    if feedback["in_test"]:
        text += f", {feedback['in_test']} left out: the same pictures are in test"
    if report["balance"]:
        text += f"; {report['balance']}"
    return text + f"; no group spans splits (a naive split would leak {report['naive_leak']} test pictures)"


def _requested(counts: pd.DataFrame, present: set[str], params: Split) -> pd.DataFrame:
    """Return the requested number of pictures, a fraction, of each class (row) in each split (column)."""
    shares = cut_shares(present, params)
    if params.folds:
        validation = shares["train"] / params.folds
        shares |= {"train": shares["train"] - validation, "validation": validation}
    free = counts[list(shares)].sum(axis=1)
    return counts.assign(**{name: free * share for name, share in shares.items()})


def _balance(train: pd.DataFrame) -> str:
    """Return what balancing does to training, in words; empty when every picture counts once."""
    copies, weights = train.groupby("label")["copies"].sum(), train["weight"]
    if (train["copies"] != 1).any():
        return f"an epoch has {copies.min()} to {copies.max()} pictures of each class"
    return f"pictures have weights {weights.min():.3g} to {weights.max():.3g}" if (weights != 1).any() else ""


def naive_leak(curated: pd.DataFrame, ids: pd.Series, params: Split) -> int:
    """Return how many test pictures a naive split would leak: those with a picture of their group in train.

    It divides all pictures that pass the filters, including duplicates and label conflicts: by the source's own test
    split, or else at random, seeded, by the shares of `params`.
    """
    rows = curated.loc[curated["reason"] != "filtered", ["group_id", "given_split"]]
    split = split_precedence(rows["given_split"]).to_numpy(copy=True)
    if not (split == PRECEDENCE["test"]).any():
        order = np.argsort(seeded_hash(ids.iloc[rows.index], params.seed), kind="stable")
        ends = np.round(np.cumsum([params.test, params.validation]) * len(rows)).astype(int)
        split[order] = np.searchsorted(ends, np.arange(len(rows)), side="right")
    groups = rows["group_id"].to_numpy()
    in_train = np.zeros(len(curated), bool)
    in_train[groups[split == PRECEDENCE["train"]]] = True
    return int(in_train[groups[split == PRECEDENCE["test"]]].sum())
