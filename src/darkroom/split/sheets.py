"""The example pictures of the data report: sheets of cards, chosen deterministically."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from darkroom.core.tables import ISSUES
from darkroom.curation.duplicates import split_precedence
from darkroom.curation.issues import FLAGGED
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


def class_sheets(pictures: pd.DataFrame) -> list[Sheet]:
    """Return sheets of the largest classes: their first pictures by image_id, a hash, so as good as random."""
    counts = pictures["label"].value_counts().sort_index().sort_values(ascending=False, kind="stable").head(CLASSES)
    shown = pictures[pictures["label"].isin(counts.index)].groupby("label").head(PER_CLASS)
    sheets = []
    for label, count in zip(counts.index, counts.tolist(), strict=True):
        cards = tuple(_card(row) for row in shown[shown["label"] == label].itertuples())
        sheets.append(Sheet(label, f"{count:,} pictures", cards, count - len(cards)))
    return sheets


def duplicate_groups(pictures: pd.DataFrame) -> Groups:
    """Return the groups of duplicates with one label."""
    groups = pictures.groupby("duplicate_id")
    chosen = (groups["image_id"].transform("size") > 1) & (groups["label"].transform("nunique") < 2)
    return _groups(pictures[chosen])


def conflict_groups(pictures: pd.DataFrame) -> Groups:
    """Return the groups of duplicates with several labels."""
    labels = pictures.groupby("duplicate_id")["label"].transform("nunique")
    return _groups(pictures[labels > 1], show_label=True)


def groups_across_splits(pictures: pd.DataFrame) -> Groups:
    """Return the groups of duplicates that are in several of the source's own splits."""
    splits = pictures.groupby("duplicate_id")["given_split"].transform("nunique")
    return _groups(pictures[splits > 1], show_label=True)


def issue_sheets(pictures: pd.DataFrame) -> list[Sheet]:
    """Return sheets of the worst flagged pictures of each issue; duplicates have sheets of their own."""
    sheets = []
    for name in ISSUES[:-3]:
        flagged = pictures[pictures[f"{name}_score"] < FLAGGED]
        worst = flagged.sort_values([f"{name}_score", "image_id"]).head(PER_ISSUE)
        cards = tuple(_card(row, *_issue_lines(row, name)) for row in worst.itertuples())
        if cards:
            sheets.append(Sheet(name.replace("_", " "), f"{len(flagged):,} flagged", cards, len(flagged) - len(cards)))
    return sheets


def _groups(members: pd.DataFrame, show_label: bool = False) -> Groups:
    """Return a sheet for each of the largest groups of `members`, the kept picture first."""
    counts = members.groupby("duplicate_id").size()
    sizes = counts.sort_values(ascending=False, kind="stable").head(GROUPS)
    members = members[members["duplicate_id"].isin(sizes.index)].sort_values(["keep", "path"], ascending=[False, True])
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
