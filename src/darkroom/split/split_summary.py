"""The outcome of the split: sizes, distance from the shares asked for, what a naive split would have leaked."""

from typing import Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import rank
from darkroom.core.fingerprint import table_digest
from darkroom.core.tables import SPLIT_NAMES
from darkroom.curation.duplicates import PRECEDENCE, split_precedence
from darkroom.params.data import Split
from darkroom.split.splits import cut_shares, straddling_groups


def summarise(curated: pd.DataFrame, splits: pd.DataFrame, given: pd.Series, params: Split) -> dict[str, Any]:
    """Return the report: pictures in each split, by class too, and the proof that no group straddles.

    `given` maps image_id to the source's own split. `deviation` is the largest difference between the share of the
    pictures that a split has and the one asked for; `class_deviation` that of one class in one split, as a share of
    all pictures too. A given split is as it should be.
    """
    counts = pd.crosstab(splits["label"], splits["split"]).reindex(columns=list(SPLIT_NAMES), fill_value=0)
    off = counts - _wanted(counts, set(splits["image_id"].map(given).dropna()), params)
    return {
        **{name: int(counts[name].sum()) for name in SPLIT_NAMES},
        "shares": {name: float(counts[name].sum() / len(splits)) for name in SPLIT_NAMES},
        "deviation": float(off.sum().abs().max() / len(splits)),
        "class_deviation": float(off.abs().max().max() / len(splits)),
        "folds": splits["fold"].value_counts().sort_index().tolist(),
        "balance": _balance(splits[splits["split"] == "train"]),
        "unused_because": splits["reason"].value_counts().sort_index().to_dict(),
        "straddling_groups": straddling_groups(curated, splits),
        "naive_leak": naive_leak(curated, given, params),
        "per_class": {str(label): {str(k): int(v) for k, v in row.items()} for label, row in counts.iterrows()},
        "digest": table_digest(splits),
        "validation_digest": table_digest(splits.loc[splits["split"] == "validation", ["image_id", "label"]]),
    }


def headline(report: dict[str, Any]) -> str:
    """Return the line about a finished split for the terminal."""
    sizes = ", ".join(f"{report[name]} {name}" for name in SPLIT_NAMES)
    text = f"split: {sizes}; shares met within {report['deviation']:.1%}"
    for reason, count in report["unused_because"].items():
        text += f"; {count} of train not used: {reason}"
    if report["balance"]:
        text += f"; {report['balance']}"
    return text + f"; no group in two splits (a naive split would leak {report['naive_leak']} test pictures)"


def _wanted(counts: pd.DataFrame, present: set[str], params: Split) -> pd.DataFrame:
    """Return how many pictures of each class (row) each split (column) should have; not always whole numbers."""
    shares = cut_shares(present, params)
    if params.folds:
        validation = shares["train"] / params.folds
        shares |= {"train": shares["train"] - validation, "validation": validation}
    free = counts[list(shares)].sum(axis=1)
    return counts.assign(**{name: free * share for name, share in shares.items()})


def _balance(train: pd.DataFrame) -> str:
    """Return what balancing does to training, in words; nothing when every picture counts once."""
    copies, weights = train.groupby("label")["copies"].sum(), train["weight"]
    if (train["copies"] != 1).any():
        return f"an epoch has {copies.min()} to {copies.max()} of a class"
    return f"pictures weigh {weights.min():.3g} to {weights.max():.3g}" if (weights != 1).any() else ""


def naive_leak(curated: pd.DataFrame, given: pd.Series, params: Split) -> int:
    """Return how many test pictures would have one of their group in training after a naive split.

    Of all pictures that pass the filters, duplicates and label conflicts too: as the source's own test split divides
    them, or a seeded random division by the shares of `params`.
    """
    rows = curated[curated["reason"].fillna("") != "filtered"]
    precedence = split_precedence(rows["image_id"].map(given)).to_numpy(copy=True)
    if not (precedence == PRECEDENCE["test"]).any():
        order = np.lexsort((rows["image_id"], rank(rows["image_id"], params.seed)))
        ends = np.round(np.cumsum([params.test, params.validation]) * len(rows)).astype(int)
        precedence[order] = np.searchsorted(ends, np.arange(len(rows)), side="right")
    groups = pd.factorize(rows["group_id"])[0]
    trained = np.bincount(groups[precedence == PRECEDENCE["train"]], minlength=len(rows)) > 0
    return int(trained[groups[precedence == PRECEDENCE["test"]]].sum())
