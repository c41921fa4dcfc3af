"""What the data alone decides: source, labels, splits, balance, limits."""

import math
import re

from darkroom.begin.choice import Choice
from darkroom.begin.facts import Facts

VALIDATION, TEST = 1000, 2000  # pictures: an accuracy of 90 % is then known to 1.9 and 1.3 points
SHARES = {"validation": (0.02, 0.15), "test": (0.05, 0.2)}  # at least, at most
SMALL = ": a small data set needs a large share"
UNEVEN, LIMIT = 3.0, 50.0  # largest class / smallest class: weighted from; validate.max_imbalance's default


def source(facts: Facts) -> list[Choice]:
    """Return the source, and the columns of a table."""
    found = f"{facts.pictures:,} pictures of {len(facts.classes)} classes"
    columns = [
        Choice(f"ingest.columns.{key}", value, "a column of the table") for key, value in facts.columns.items() if value
    ]
    return [Choice("ingest.source", facts.source, found), *columns]


def model_name(source: str) -> Choice:
    """Return the name under which models of `source` are registered, so that they are compared with each other only."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", source).strip("-")[:200]
    return Choice("package.name", name or "pictures", "models of other pictures have a champion of their own")


def shares(facts: Facts) -> list[Choice]:
    """Return the shares of validation and test; a split that the source gives is used instead."""
    return [_share(facts, "validation", VALIDATION), _share(facts, "test", TEST)]


def _share(facts: Facts, name: str, wanted: int) -> Choice:
    key, (least, most) = f"split.{name}", SHARES[name]
    if name in facts.splits:
        return Choice(key, most, f"not used: the source has {facts.splits[name]:,} pictures for {name}")
    left = facts.pictures - sum(count for split, count in facts.splits.items() if split != "train")
    share = round(min(max(wanted / max(left, 1), least), most), 2)
    why = f"{round(share * left):,} pictures"
    return Choice(key, share, why + (", enough to tell models apart" if share < most else SMALL))


def split_sizes(facts: Facts) -> dict[str, int]:
    """Return roughly how many pictures train, validation and test will have."""
    chosen = {choice.key.removeprefix("split."): choice.value for choice in shares(facts)}
    given = {name: count for name, count in facts.splits.items() if name != "train"}
    left = facts.pictures - sum(given.values())
    sizes = {name: given.get(name, round(share * left)) for name, share in chosen.items()}
    return {**sizes, "train": facts.pictures - sum(sizes.values())}


def imbalance(facts: Facts) -> float:
    """Return the pictures of the largest class over those of the smallest."""
    return max(facts.classes.values()) / max(min(facts.classes.values()), 1)


def balance(facts: Facts) -> list[Choice]:
    """Return whether classes are weighted."""
    times = f"the largest class has {imbalance(facts):.1f} times the pictures of the smallest"
    if imbalance(facts) < UNEVEN:
        return [Choice("balance.method", "none", times)]
    why = f"{times}, so rare classes are weighted, or the model would ignore them"
    return [Choice("balance.method", "class_weight", why)]


def limits(facts: Facts) -> list[Choice]:
    """Return the limits of validate that this data would break though nothing is wrong with it."""
    side, times = facts.smallest_side, imbalance(facts)
    found = []
    if times > LIMIT:
        found.append(Choice("validate.max_imbalance", float(math.ceil(times * 1.2)), f"now it is {times:.0f}"))
    if side < 8:
        found.append(Choice("validate.min_side", side, f"the smallest picture of a sample has a side of {side} pixels"))
    return found
