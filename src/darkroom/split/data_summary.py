"""The numbers of the data report: tiles, checks, classes, unreadable and misnamed files."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from darkroom.balance.balance import class_sizes
from darkroom.core.tables import LEFT_OUT, SPLIT_NAMES
from darkroom.curation.pictures import Pictures
from darkroom.images.suffixes import wrong_suffix
from darkroom.pages.charts import stacked_bar
from darkroom.pages.elements import Bar, Tile

CLASSES = 30  # bars at most
REASONS, PATHS = 20, 5  # at most, and paths for each reason

Reports = Mapping[str, Mapping[str, Any]]


def tiles(pictures: pd.DataFrame, manifest: Pictures, reports: Reports) -> list[Tile]:
    """Return the headline numbers; those of a missing report are left out."""
    errors = pd.concat([part["error"] for part in manifest.parts(["error"])])
    unreadable = int((errors.notna() & (errors != LEFT_OUT)).sum())
    reasons = pictures["reason"].value_counts()
    duplicates = int(reasons.get("exact duplicate", 0) + reasons.get("near duplicate", 0))
    conflicts = int(reasons.get("label conflict", 0))
    flagged = int(pictures["flagged"].sum())
    return [
        Tile(f"{len(pictures):,}", "pictures", f"{int(pictures['keep'].sum()):,} are used", "plain"),
        Tile(f"{pictures['label'].nunique():,}", "classes", _imbalance(pictures), "plain"),
        _count(unreadable, "unreadable files", f"of {len(errors):,} files"),
        _count(duplicates, "duplicates dropped", "one of each group is kept; of a given test split all"),
        _count(conflicts, "label conflicts", "pictures with several labels"),
        _count(flagged, "flagged pictures", "dark, blurred, odd, duplicated, …"),
        *_split_tiles(reports.get("split", {})),
    ]


def _split_tiles(split: Mapping[str, Any]) -> list[Tile]:
    tiles = []
    if split.get("naive_leak") is not None:
        about = "test pictures that a naive split would leak"
        tiles.append(Tile(f"{split['naive_leak']:,}", "prevented leaks", about, "plain"))
    if split.get("deviation") is not None:
        about = "between actual and requested shares of the splits"
        share = f"{100 * split['deviation']:.1f} %"
        tiles.append(Tile("0" if share == "0.0 %" else share, "deviation of the shares", about, "plain"))
    return tiles


def _count(value: int, name: str, about: str) -> Tile:
    return Tile(f"{value:,}", name, about, "warn" if value else "good")


def _imbalance(pictures: pd.DataFrame) -> str:
    counts = class_sizes(pictures["label"])
    if counts.empty or counts.max() == counts.min():
        return "all of equal size"
    return f"the largest is {counts.max() / counts.min():.3g} times the smallest"


def checks(report: Mapping[str, Any]) -> list[dict[str, object]]:
    """Return the rows of the table of expectations, those that did not pass first."""
    rows: list[dict[str, object]] = []
    for check in report.get("checks", []):
        state = "passed" if check["success"] else "warning" if check.get("severity") == "warn" else "failed"
        name = str(check["name"]).removeprefix("expect_").replace("_", " ")
        observed = "" if check.get("observed") is None else check["observed"]
        rows.append({"state": state, "name": name, "about": check["about"], "observed": observed})
    return sorted(rows, key=lambda row: ("failed", "warning", "passed").index(row["state"]))


def class_bars(pictures: pd.DataFrame) -> tuple[list[Bar], str]:
    """Return a bar for each of the largest classes, divided by split and dropped, and a line about the others."""
    table = pictures.groupby(["label", "place"]).size().unstack(fill_value=0)
    table = table.set_axis(table.columns.astype("str"), axis=1).reindex(columns=[*SPLIT_NAMES, "dropped"], fill_value=0)
    total = table.sum(axis="columns").sort_values(ascending=False, kind="stable")
    top, others = total.head(CLASSES), total.iloc[CLASSES:]
    bars = []
    for label, sizes in zip(top.index, table.loc[top.index].to_numpy().tolist(), strict=True):
        text = f"{sum(sizes):,}" + (f" ({sizes[-1]:,} dropped)" if sizes[-1] else "")
        bars.append(Bar(label, stacked_bar(list(zip(table.columns, sizes, strict=True)), int(total.iloc[0])), text))
    if others.empty:
        return bars, ""
    span = f"{others.min():,} to {others.max():,}" if others.min() < others.max() else f"{others.max():,}"
    return bars, f"and {len(others):,} more with {span} pictures each, {others.sum():,} in total"


def faulty_files(manifest: Pictures) -> list[dict[str, object]]:
    """Return the most frequent reasons why files are unreadable or misnamed, with counts and first paths."""
    faulty = pd.concat([_faulty(part) for part in manifest.parts(["path", "format", "error"])]).sort_values("path")
    counts = faulty["error"].value_counts().sort_index().sort_values(ascending=False, kind="stable").head(REASONS)
    first = faulty[faulty["error"].isin(counts.index)].groupby("error").head(PATHS)
    rows = []
    for reason, count in zip(counts.index, counts.tolist(), strict=True):
        paths = first[first["error"] == reason]["path"].tolist()
        rows.append({"reason": reason, "count": count, "paths": paths, "more": count - len(paths)})
    return rows


def _faulty(files: pd.DataFrame) -> pd.DataFrame:
    """Return the files that are unreadable or misnamed, with the reason in `error`."""
    misnamed = "is used, but is " + files["format"] + " despite its suffix"
    files = files.assign(error=files["error"].mask(wrong_suffix(files), misnamed))
    return files[files["error"].notna()]
