"""The tables and sheets of the evaluation page."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pandas as pd

from darkroom.core.tables import SPLIT_NAMES
from darkroom.evaluation_page.content import EvaluationContent
from darkroom.evaluation_page.pictures import ChangedPicture, ConfusedPair, UncertainPicture
from darkroom.evaluation_page.texts import GROUPS, NOTES, count, family, known, metric_name, number, percent, span
from darkroom.pages.elements import Card, Sheet

ISSUES = 60  # suspected labels with their pictures, at most; the lines to copy hold as many
MEASURED = ("precision", "recall", "f1")  # with an interval for each class
ISSUE_COLUMNS = ["image_id", "path", "label", "suggested", "confidence"]


@dataclass(frozen=True)
class MetricRow:
    """A metric on each split: (value, interval), both as texts."""

    name: str
    note: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClassRow:
    """A class: (value, interval) of precision, recall and F1, then ROC AUC, average precision, pictures."""

    name: str
    cells: tuple[tuple[str, str], ...]


def metric_table(content: EvaluationContent) -> tuple[list[tuple[str, str]], list[tuple[str, list[MetricRow]]]]:
    """Return the splits with their numbers of pictures, and the rows under headings; unknown metrics come last."""
    splits = [name for name in SPLIT_NAMES if name in content.scores]
    head = [(name, _pictures(content.scores[name].get("pictures"))) for name in splits]
    names = [name for split in splits for name in content.scores[split] if name != "pictures"]
    names = [name for name in dict.fromkeys(names) if any(known(content.scores[split].get(name)) for split in splits)]
    groups = [(title, [name for name in names if family(name) in members]) for title, members in GROUPS.items()]
    listed = {name for _, members in groups for name in members}
    groups.append(("Others", [name for name in names if name not in listed]))
    return head, [
        (title, [_metric_row(content, name, splits) for name in members]) for title, members in groups if members
    ]


def _pictures(size: float | None) -> str:
    return count(int(size)) if size is not None else ""


def _metric_row(content: EvaluationContent, name: str, splits: list[str]) -> MetricRow:
    cells = [
        (number(content.scores[split].get(name)), span(content.intervals.get(split, {}).get(name))) for split in splits
    ]
    return MetricRow(metric_name(name), NOTES.get(family(name), ""), tuple(cells))


def class_rows(classes: pd.DataFrame) -> list[ClassRow]:
    """Return a row for each class in the given order."""
    return [_class_row(row) for row in classes.to_dict("records")]


def _class_row(row: Mapping[Any, Any]) -> ClassRow:
    cells = [(number(row[name]), span((row.get(f"{name}_low"), row.get(f"{name}_high")))) for name in MEASURED]
    cells += [(number(row.get(name)), "") for name in ("roc_auc", "average_precision")]
    return ClassRow(str(row["class"]), (*cells, (f"{int(row['support']):,}", "")))


def corruption_table(corruptions: pd.DataFrame) -> tuple[list[int], list[tuple[str, list[float]]]]:
    """Return the severities, and for each kind the accuracy at each and the mean, the kind that hurts most first.

    Both are empty without any kind.
    """
    if corruptions.empty:
        return [], []
    table = corruptions.pivot_table(index="kind", columns="severity", values="accuracy", sort=True)
    table["mean"] = table.mean(axis=1)
    table = table.sort_values("mean", kind="stable")
    rows = [(str(kind).replace("_", " "), [*map(float, values)]) for kind, *values in table.itertuples()]
    return [int(name) for name in table.columns[:-1]], rows


def corrections(issues: pd.DataFrame | None) -> str:
    """Return the suspected labels as lines of data/corrections.csv: path, suggested label."""
    text = StringIO()
    if issues is not None and len(issues):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["path", "label"])
        writer.writerows(issues[["path", "suggested"]].head(ISSUES).itertuples(index=False))
    return text.getvalue()


def uncertain_sheet(pictures: tuple[UncertainPicture, ...]) -> Sheet:
    """Return the pictures between two classes."""
    cards = tuple(
        Card(
            *(one.image_id, one.path, f"label {one.label}", "lowest margin"),
            lines=(
                f"{one.predicted}: {percent(one.probability)}",
                f"{one.second}: {percent(one.second_probability)}",
                f"label {one.label}" if one.label != one.predicted else f"label {one.label}: right",
            ),
            tone="plain" if one.label == one.predicted else "bad",
        )
        for one in pictures
    )
    return Sheet("Lowest margin", "between the two most probable classes", cards)


def pair_sheets(pairs: tuple[ConfusedPair, ...]) -> list[Sheet]:
    """Return a sheet for each confused pair of classes."""
    return [_pair_sheet(pair) for pair in pairs]


def _pair_sheet(pair: ConfusedPair) -> Sheet:
    cards = tuple(
        Card(one.image_id, one.path, f"label {pair.actual}", f"predicted {pair.predicted}") for one in pair.examples
    )
    title = f"“{pair.actual}” taken for “{pair.predicted}”"
    return Sheet(title, count(pair.pictures), cards, pair.pictures - len(cards))


def changed_sheets(changed: tuple[ChangedPicture, ...], wins: int, losses: int) -> list[Sheet]:
    """Return the pictures that only this model has right, and those that only the champion has right."""
    sides = (("Right only here", "good", True, wins), ("Right only with the champion", "bad", False, losses))
    sheets = []
    for title, tone, won, total in sides:
        cards = tuple(_changed_card(one, tone) for one in changed if (one.predicted == one.label) is won)
        if cards:
            sheets.append(Sheet(title, count(total), cards, max(total - len(cards), 0)))
    return sheets


def _changed_card(one: ChangedPicture, tone: str) -> Card:
    lines = (f"champion: {one.champion}", f"here: {one.predicted}")
    return Card(one.image_id, one.path, f"label {one.label}", "changed sides", lines, tone)
