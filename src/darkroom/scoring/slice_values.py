"""Into which slice of each fact a picture falls: its size, brightness, format ... and the attributes of its table."""

import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

RANGES = 4  # of a fact that is measured
FEWEST = 5  # pictures of a slice
MOST_NAMES = 12  # of an attribute: more different numbers are put into ranges, of more texts the rarest are joined
NUMBERS = 0.9  # share of an attribute's values that are numbers: the others count as missing
OTHER, MISSING = "other", "missing"
MEASURED = ("brightness", "contrast", "sharpness")
NAMED = ("format", "mode")


@dataclass(frozen=True)
class Values:
    """The value of a fact for each picture: `codes` (n,) int, an index into `names`, -1 for a picture in no slice."""

    codes: np.ndarray
    names: list[str]


def slice_values(facts: pd.DataFrame) -> dict[str, Values]:
    """Return {fact: its values} for the facts by which the pictures differ, values in order.

    `facts`: a row for each picture with the manifest's columns (tables.MANIFEST). Values of fewer than `FEWEST`
    pictures are joined as "other", unless they are too few even together.
    """
    width, height = (facts[side].to_numpy(np.float64) for side in ("width", "height"))
    found = {"size": _ranges(np.minimum(width, height))}
    found["aspect"] = _names(np.select([width > height, width < height], ["landscape", "portrait"], "square"))
    found |= {name: _ranges(facts[name].to_numpy(np.float64)) for name in MEASURED}
    found |= {name: _names(facts[name].fillna(MISSING).to_numpy(str)) for name in NAMED}
    found["orientation"] = _names(np.where(facts["orientation"].fillna(1) == 1, "upright", "turned"))
    found["greyscale"] = _names(np.where(facts["greyscale"].fillna(False), "yes", "no"))
    for name, values in _attributes(facts["attributes"]).items():
        found[f"{name} (table)" if name in found else name] = values
    joined = {name: _join_rare(values) for name, values in found.items()}
    return {name: values for name, values in joined.items() if len(values.names) > 1}


def _attributes(texts: pd.Series) -> dict[str, Values]:
    """Return {column of the table: its values}, sorted by name."""
    rows = [json.loads(text) if isinstance(text, str) else {} for text in texts]
    names = sorted(set().union(*rows))
    return {name: _attribute(pd.Series([row.get(name) for row in rows], dtype="str")) for name in names}


def _attribute(texts: pd.Series) -> Values:
    """Return the values of a column of a table; many different numbers become ranges, of many texts most "other"."""
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    given = np.isfinite(numbers)
    if len(np.unique(numbers[given])) <= MOST_NAMES or given.sum() < NUMBERS * texts.notna().sum():
        frequent = texts.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:MOST_NAMES]
        return _names(texts.where(texts.isin(frequent) | texts.isna(), OTHER).fillna(MISSING).to_numpy(str))
    ranges = _ranges(numbers[given])
    codes = np.full(len(texts), len(ranges.names))
    codes[given] = ranges.codes
    return Values(codes, [*ranges.names, MISSING])


def _names(texts: np.ndarray) -> Values:
    names, codes = np.unique(texts, return_inverse=True)
    return Values(codes, names.tolist())


def _ranges(numbers: np.ndarray) -> Values:
    """Return the range of each number, between rounded quantiles; few different numbers are their own names."""
    numbers = numbers.round(6)  # a float32 has no more
    distinct, codes = np.unique(numbers, return_inverse=True)
    if len(distinct) <= RANGES:
        return Values(codes, [_text(number) for number in distinct])
    limits = _limits(numbers, distinct[1])
    texts = [_text(limit) for limit in limits]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return Values(np.digitize(numbers, limits), [f"below {texts[0]}", *between, f"{texts[-1]} or more"])


def _limits(numbers: np.ndarray, second: float) -> np.ndarray:
    """Return quantiles, rounded to as few digits as keep every range occupied; `second`: the second smallest number."""
    quantiles = np.quantile(numbers, np.arange(1, RANGES) / RANGES)
    wanted = np.unique(np.maximum(quantiles, second))  # where most have the smallest number, the rest stands apart
    for digits in range(2, 16):
        limits = np.unique([float(f"{limit:.{digits}g}") for limit in wanted])
        counts = np.bincount(np.digitize(numbers, limits), minlength=len(wanted) + 1)
        if len(limits) == len(wanted) and counts.all():
            break
    return limits


def _text(number: float) -> str:
    return f"{number:.15g}"


def _join_rare(values: Values) -> Values:
    names = np.array(values.names)
    frequent = (np.bincount(values.codes, minlength=len(names)) >= FEWEST) & (names != OTHER)
    renumbered = np.full(len(names), -1)
    renumbered[frequent] = np.arange(frequent.sum())
    codes, kept = renumbered[values.codes], names[frequent].tolist()
    if (codes < 0).sum() >= FEWEST:
        return Values(np.where(codes < 0, len(kept), codes), [*kept, OTHER])
    return Values(codes, kept)
