"""The example pictures of the data report: sheets of cards, chosen deterministically."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import class_sizes
from darkroom.core.tables import ISSUES
from darkroom.curation.duplicates import split_precedence
from darkroom.curation.issues import FLAGGED
from darkroom.curation.pictures import Pictures
from darkroom.pages.elements import Card, Sheet

CLASSES, PER_CLASS = 40, 12  # sheets and cards of each, at most
GROUPS, PER_GROUP = 20, 6
PER_ISSUE = 12
FACTS = {  # issue -> the facts that decide it, (column, format)
    "dark": [("brightest", "{:.2f}")],
    "bright": [("darkest", "{:.2f}")],
    "blurred": [("sharpness", "{:.1f}")],
    "low_information": [("entropy", "{:.2f}")],
}


@dataclass(frozen=True)
class Groups:
    """The largest groups of duplicates; `total` counts all groups."""

    sheets: tuple[Sheet, ...]
    total: int


def with_texts(pictures: pd.DataFrame, texts: Pictures) -> pd.DataFrame:
    """Return the pictures, a few, with the texts that the page shows."""
    return pictures.assign(**texts.columns(["image_id", "path", "sha256"], pictures.index))


def class_sheets(pictures: pd.DataFrame, texts: Pictures) -> list[Sheet]:
    """Return sheets of the largest classes: their first pictures by image_id, a hash, so as good as random."""
    counts = class_sizes(pictures["label"]).sort_index().sort_values(ascending=False, kind="stable").head(CLASSES)
    shown = pictures.groupby("label").head(PER_CLASS)
    shown = with_texts(shown[shown["label"].isin(counts.index)], texts)
    sheets = []
    for label, count in zip(counts.index, counts.tolist(), strict=True):
        cards = tuple(_card(row) for row in shown[shown["label"] == label].itertuples())
        sheets.append(Sheet(label, f"{count:,} pictures", cards, count - len(cards)))
    return sheets


def repeated(pictures: pd.DataFrame) -> pd.DataFrame:
    """Return the pictures that share their duplicate_id with others, as dedupe counts them: without filtered ones."""
    considered = (pictures["reason"] != "filtered").to_numpy(bool)
    rows = pictures["duplicate_id"].to_numpy()
    shared = np.bincount(rows[considered], minlength=len(rows)) > 1
    copies: pd.DataFrame = pictures[considered & shared[rows]]
    return copies


def duplicate_groups(copies: pd.DataFrame, texts: Pictures) -> Groups:
    """Return the groups of duplicates with one label."""
    labels = copies.groupby("duplicate_id")["label"].transform("nunique")
    return _groups(copies[labels < 2], texts)


def conflict_groups(copies: pd.DataFrame, texts: Pictures) -> Groups:
    """Return the groups of duplicates with several labels."""
    labels = copies.groupby("duplicate_id")["label"].transform("nunique")
    return _groups(copies[labels > 1], texts, show_label=True)


def groups_across_splits(copies: pd.DataFrame, texts: Pictures) -> Groups:
    """Return the groups of duplicates that are in several of the source's own splits."""
    splits = copies.groupby("duplicate_id")["given_split"].transform("nunique")
    return _groups(copies[splits > 1], texts, show_label=True)


def issue_sheets(pictures: pd.DataFrame, texts: Pictures) -> list[Sheet]:
    """Return sheets of the worst flagged pictures of each issue; duplicates have sheets of their own."""
    flagged = {}
    for name in ISSUES[:-3]:
        scores = pictures[f"{name}_score"]
        flagged[name] = scores[scores < FLAGGED].sort_values(kind="stable").index
    rows = np.unique(np.concatenate([found[:PER_ISSUE] for found in flagged.values()]))
    shown, sheets = with_texts(pictures.loc[rows], texts), []
    for name, found in flagged.items():
        worst = shown.loc[found[:PER_ISSUE]].itertuples()
        cards = tuple(_card(row, *_issue_lines(row, name)) for row in worst)
        if cards:
            sheets.append(Sheet(name.replace("_", " "), f"{len(found):,} flagged", cards, len(found) - len(cards)))
    return sheets


def _groups(members: pd.DataFrame, texts: Pictures, show_label: bool = False) -> Groups:
    """Return a sheet for each of the largest groups of `members`, the kept picture first."""
    counts = members.groupby("duplicate_id").size()
    sizes = counts.sort_values(ascending=False, kind="stable").head(GROUPS)
    members = with_texts(members[members["duplicate_id"].isin(sizes.index)], texts)
    members = members.sort_values(["keep", "path"], ascending=[False, True])
    sheets = []
    for first, size in zip(sizes.index, sizes.tolist(), strict=True):
        group = members[members["duplicate_id"] == first]
        near = group["sha256"].nunique() > 1
        cards = tuple(_member_card(row, group, show_label) for row in group.head(PER_GROUP).itertuples())
        note = "look alike" if near else "the same bytes"
        sheets.append(Sheet(f"{size:,} pictures", note, cards, size - len(cards)))
    return Groups(tuple(sheets), len(counts))


def _member_card(row: Any, group: pd.DataFrame, show_label: bool) -> Card:
    lines = [row.label] if show_label else []
    lines += [f"given split: {row.given_split}"] if group["given_split"].nunique() > 1 else []
    kept = group[group["keep"]]
    if row.keep:
        test = ": in the given test split" if row.given_split == "test" else ""
        reason = reason_kept(group) if len(kept) == 1 else test
        return _card(row, *lines, f"kept{reason}", tone="good")
    return _card(row, *lines, row.reason, tone="bad")


def reason_kept(group: pd.DataFrame) -> str:
    """Return the criterion that decides for the first picture of `group`, the kept one, in order of precedence."""
    area = group["width"].astype("int64") * group["height"].astype("int64")
    split = f"in the given {group['given_split'].iloc[0]} split"
    rivals = group.index[1:]
    for reason, rank in (
        (split, -split_precedence(group["given_split"])),
        ("largest", area),
        ("most bytes", group["bytes"]),
    ):
        own, others = rank.iloc[0], rank[rivals]
        if (others < own).all():
            return f": {reason}"
        if (others <= own).all():
            rivals = rivals[others == own]
    return ": first by path" if group["path"].iloc[0] <= group["path"][rivals].min() else ""


def _issue_lines(row: Any, name: str) -> list[str]:
    facts = [f"{fact} {text.format(getattr(row, fact))}" for fact, text in FACTS.get(name, [])]
    if name.startswith("odd"):
        facts = [f"{row.width} x {row.height}"]
    return [f"score {getattr(row, f'{name}_score'):.3f}", *facts]


def _card(row: Any, *lines: str, tone: str = "plain") -> Card:
    size = f"{row.width} x {row.height}, {row.bytes:,} bytes"
    return Card(
        row.image_id, row.path, size, f"{row.format} {row.mode}, label {row.label}", lines, tone, row.width, row.height
    )
