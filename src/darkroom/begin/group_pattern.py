"""A pattern in file names that says which pictures belong together: those of a patient, a video, a burst."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from darkroom.begin.facts import Proposal

NAMES_READ = 5000  # evenly spread, from which patterns are made; each is then tried on all names
PARTS = 6  # of a name, at most, that a group is named by
COMMON = 0.3  # share of the names that a part must have in common with others to be tried
MIN_GROUPS = 10  # fewer cannot be divided into train, validation and test
MAX_SHARE = 0.2  # of the pictures, in one group: more would leave too few groups to divide
MIN_COVERED = 0.3  # of the pictures, that are in one group with another one of their class
MAX_DIFFERENT = 0.9  # different endings per picture: each group counts from the start, plain counters and times go on
NEARLY = 0.9  # of the pictures that the best pattern covers: the first such pattern, which has larger groups, is taken

FOLDERS = (r"([^/]+)/[^/]+/[^/]+$", r"([^/]+)/[^/]+$")  # below the class folders; the folders of classes are no groups
ROBOFLOW = r"(?:^|/)([^/]+)_(?:jpe?g|png|bmp|webp)\.rf\."  # <name>_jpg.rf.<random>.jpg: varied copies of one picture
SUFFIX = re.compile(r"\.\w{1,5}$")
NUMBER_ENDS = re.compile(r"\d(?=\D)")
DIGITS = re.compile(r"\d+")
PART = r"[^/_. -]+"


class Grouping(NamedTuple):
    """The groups that an expression makes of a data set."""

    expression: str
    covered: float  # share of the pictures that are in one group with another one of their class
    sizes: pd.Series  # pictures by group, of groups of two or more
    example: tuple[str, str]  # paths


def propose_groups(paths: list[str], labels: list[str]) -> Proposal | None:
    """Return dedupe.group_by for pictures whose names share an id with others; None where no names do.

    A name that is a plain counter, a class and a counter, a time or a random text shares nothing.
    """
    table = pd.DataFrame({"path": paths, "label": labels})
    tried = (_group_by(table, expression) for expression in dict.fromkeys(_expressions(paths)))
    found = [grouping for grouping in tried if grouping]
    if not found:
        return None
    best = max(grouping.covered for grouping in found)
    chosen = next(grouping for grouping in found if grouping.covered >= NEARLY * best)
    return Proposal("dedupe.group_by", chosen.expression, _reason(chosen))


def _reason(chosen: Grouping) -> str:
    sizes, (one, other) = chosen.sizes, chosen.example
    most = f" to {sizes.max()}" if sizes.max() > sizes.min() else ""
    return (
        f"{sizes.sum():,} file names share an id with others: {len(sizes):,} groups of {sizes.min()}{most}, such as "
        f"{one} and {other}; if it stands for a patient, a video or the like, each must stay in one split, "
        f"or the test flatters the model"
    )


def _expressions(paths: list[str]) -> Iterator[str]:
    """Yield regular expressions with one group that may fit, those of larger groups first."""
    yield from FOLDERS
    spread = np.linspace(0, len(paths) - 1, min(len(paths), NAMES_READ)).astype(int)
    stems = [SUFFIX.sub("", paths[row].rsplit("/", 1)[-1]) for row in spread]
    for number in range(PARTS):
        yield from _by_number(stems, number)
        yield from _by_part(stems, number)
    yield ROBOFLOW


def _by_number(stems: list[str], number: int) -> Iterator[str]:
    """Yield an expression for the names that are alike up to their number `number`, as patient12_3 and patient7_1."""
    heads: Counter[tuple[str, str]] = Counter()
    for stem in stems:
        ends = [match.end() for match in NUMBER_ENDS.finditer(stem)]
        if len(ends) > number:
            head = re.escape(stem[: ends[number]]).replace("\\-", "-")
            heads[DIGITS.sub(r"\\d+", head), stem[ends[number]]] += 1
    for (head, following), count in heads.most_common(1):
        if count >= COMMON * len(stems):
            yield rf"(?:^|/)({head})" + ("(?=[A-Za-z])" if following.isalpha() else re.escape(following))


def _by_part(stems: list[str], number: int) -> Iterator[str]:
    """Yield an expression for names whose part `number`, between _ - . and blanks, is an id, as a3f9c1_01."""
    parts = [re.findall(PART, stem) for stem in stems]
    if sum(len(some) > number + 1 and bool(DIGITS.search(some[number])) for some in parts) >= COMMON * len(stems):
        before = rf"(?:{PART}[_. -]){{{number}}}" if number else ""
        yield rf"(?:^|/)({before}{PART})[_. -][^/]*\."


def _group_by(table: pd.DataFrame, expression: str) -> Grouping | None:
    """Return the groups of an expression; None unless they are many and small, and each counts from the start."""
    search = re.compile(expression).search
    paths = enumerate(table["path"].tolist())
    matches = [(row, match) for row, path in paths if (match := search(path)) and match[1]]
    keys = pd.Series([match[1] for _, match in matches], index=[row for row, _ in matches], dtype="str")
    sizes = keys.value_counts()
    together = sizes[sizes > 1].sort_index()
    if len(together) <= max(MIN_GROUPS - 1, table["label"].nunique()) or together.max() > MAX_SHARE * len(table):
        return None
    rows = table.loc[keys.index].assign(key=keys)
    covered = rows.duplicated(["key", "label"], keep=False)
    if covered.sum() < MIN_COVERED * len(table):
        return None
    endings = {match.string[match.end(1) :] for _, match in matches}
    if expression not in (*FOLDERS, ROBOFLOW) and len(endings) > MAX_DIFFERENT * len(matches):
        return None
    first = rows[covered].sort_values(["key", "path"]).drop_duplicates("key")["key"].iloc[0]
    one, other = rows.loc[covered & (rows["key"] == first), "path"].sort_values().iloc[:2]
    return Grouping(expression, float(covered.sum() / len(table)), together, (one, other))
