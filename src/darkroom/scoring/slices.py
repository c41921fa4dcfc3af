"""Accuracy by slice of the test pictures, and which slices are worse than chance explains."""

import math

import numpy as np
import pandas as pd

from darkroom.scoring.intervals import wilson_interval
from darkroom.scoring.slice_values import slice_values

LEVEL = 0.05  # chance that any slice at all is named when none is worse
COLUMNS = {
    "slice": "str",
    "value": "str",
    "pictures": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
    "worse": "bool",
}


def slice_table(facts: pd.DataFrame, correct: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    """Return a row for each slice: slice, value, pictures, accuracy, its 95 % interval low and high, worse.

    `facts`: see `slice_values`; `correct` (n,) bool, whether the model was right; `groups` (n,), equal for pictures
    that belong together. The interval is Wilson's, of the pictures divided by their design effect. `worse`: less
    accurate than all other pictures by Fisher's exact test, one-sided, on counts divided in the same way, after Holm's
    correction for the number of slices at 5 % (S. Holm, A simple sequentially rejective multiple test procedure, 1979).
    """
    members = np.unique(groups, return_inverse=True)[1]
    correlation = intraclass_correlation(correct, members)
    rows, counts = [], []
    for name, values in slice_values(facts).items():
        for code, value in enumerate(values.names):
            inside = values.codes == code
            effects = [design_effect(members[part], correlation) for part in (inside, ~inside)]
            pictures, accuracy = int(inside.sum()), float(correct[inside].mean())
            trials = np.array(pictures / effects[0])
            rows.append((name, value, pictures, accuracy, *wilson_interval(accuracy * trials, trials).tolist()))
            counts.append(_effective_counts(correct, inside, *effects))
    worse = holm(_fisher(np.array(counts).reshape(-1, 4)), LEVEL)
    table = pd.DataFrame(rows, columns=list(COLUMNS)[:-1])
    return table.assign(worse=worse).astype(COLUMNS)


def intraclass_correlation(correct: np.ndarray, members: np.ndarray) -> float:
    """Return how alike the answers of one group are, 0 to 1, by analysis of variance; 1 where that is not known.

    `correct` (n,) bool, `members` (n,) int, the group's number from 0. Source: A. Donner, A review of inference
    procedures for the intraclass correlation coefficient in the one-way random effects model, 1986.
    """
    sizes = np.bincount(members)
    count, total = len(sizes), len(members)
    if count == total:
        return 0.0
    if count == 1:
        return 1.0
    means = np.bincount(members, correct) / sizes
    between = float((sizes * (means - correct.mean()) ** 2).sum()) / (count - 1)
    within = float((sizes * means * (1 - means)).sum()) / (total - count)
    typical = (total - float((sizes**2).sum()) / total) / (count - 1)
    variance = between + (typical - 1) * within
    return min(max((between - within) / variance, 0.0), 1.0) if variance > 0 else 1.0


def design_effect(members: np.ndarray, correlation: float) -> float:
    """Return how many pictures of these groups (n,) tell as much as one alone, at least 1 (L. Kish, 1965)."""
    sizes = np.unique(members, return_counts=True)[1]
    return 1 + (float((sizes**2).sum()) / len(members) - 1) * correlation


def holm(p_values: np.ndarray, level: float) -> np.ndarray:
    """Return which of the hypotheses (n,) are rejected, bool, with a chance of at most `level` of any false one."""
    order = np.argsort(p_values, kind="stable")
    passed = p_values[order] * np.arange(len(order), 0, -1) <= level
    rejected = np.zeros(len(order), bool)
    rejected[order] = np.logical_and.accumulate(passed)
    return rejected


def _effective_counts(correct: np.ndarray, inside: np.ndarray, effect: float, other: float) -> tuple[int, ...]:
    """Return right and wrong in the slice, right and wrong outside, divided; rounded against a finding."""
    right, wrong = correct[inside].sum() / effect, (~correct[inside]).sum() / effect
    others_right, others_wrong = correct[~inside].sum() / other, (~correct[~inside]).sum() / other
    return math.ceil(right), math.floor(wrong), math.floor(others_right), math.ceil(others_wrong)


def _fisher(counts: np.ndarray) -> np.ndarray:
    """Return the chance (n,) of as few right answers in the slice, given both margins of each table (n, 4)."""
    from scipy.stats import hypergeom

    right, wrong, others_right, others_wrong = counts.T
    chance = hypergeom.cdf(right, counts.sum(axis=1), right + others_right, right + wrong)
    return np.asarray(np.where(others_right + others_wrong > 0, chance, 1.0))
