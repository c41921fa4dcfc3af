"""The data report: one self-contained page from the tables of the data stages."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.tables import ISSUES, SPLIT_NAMES
from darkroom.images.convert import Depth
from darkroom.pages.embedded import thumbnails
from darkroom.pages.render import render
from darkroom.split import data_summary, sheets
from darkroom.split.fact_charts import fact_charts

ROWS = 2000  # of the table of pictures
FACTS = ("format", "mode", "orientation", "palette")  # drawn as bars, one for each value
TEMPLATE = Path(__file__).with_name("data_report.html.j2")


@dataclass(frozen=True)
class DataReport:
    """The page's data: the tables MANIFEST, CURATED, ISSUE_TABLE, SPLITS, the packed pictures, the reports.

    `reports` maps a stage (validate, split) to its report; what they would show is left out without them. `depth` is
    image.depth.
    """

    manifest: pd.DataFrame
    curated: pd.DataFrame
    issues: pd.DataFrame
    splits: pd.DataFrame
    images: Path
    reports: data_summary.Reports
    depth: Depth


def write_data_report(path: Path, data: DataReport) -> None:
    """Write the page, UTF-8 HTML; the same bytes for the same data."""
    pictures = _join(data)
    path.write_bytes(render(TEMPLATE, _numbers(pictures, data) | _examples(pictures, data)))


def _numbers(pictures: pd.DataFrame, data: DataReport) -> dict[str, object]:
    """Return the tiles, checks, charts and tables of the page."""
    checks = data.reports.get("validate", {})
    bars, others = data_summary.class_bars(pictures)
    return {
        "tiles": data_summary.tiles(pictures, data.manifest, data.reports),
        "checks": data_summary.checks(checks),
        "drift": checks.get("drift") or [],
        "class_bars": bars,
        "other_classes": others,
        "places": [*SPLIT_NAMES, "dropped"],
        "charts": fact_charts(pictures),
        "fact_bars": {name: data_summary.value_bars(pictures[name]) for name in FACTS},
        "flags": [(name.replace("_", " "), int(pictures[f"is_{name}"].sum())) for name in ISSUES],
        "unreadable": data_summary.faulty_files(data.manifest),
        "rows": _rows(pictures),
        "total": len(pictures),
        "classes": pictures["label"].nunique(),
    }


def _examples(pictures: pd.DataFrame, data: DataReport) -> dict[str, object]:
    """Return the pictures that the page shows: sheets of classes and issues, groups of duplicates, thumbnails."""
    considered = pictures[pictures["reason"].fillna("") != "filtered"]  # as dedupe counts them
    groups = {
        "duplicates": sheets.duplicate_groups(considered),
        "conflicts": sheets.conflict_groups(considered),
        "across_splits": sheets.groups_across_splits(considered),
    }
    classes, issues = sheets.class_sheets(pictures), sheets.issue_sheets(pictures)
    shown = [*classes, *issues, *(sheet for group in groups.values() for sheet in group.sheets)]
    ids = sorted({card.image_id for sheet in shown for card in sheet.cards})
    return {
        "class_sheets": classes,
        "issue_sheets": issues,
        "groups": groups,
        "thumbnails": thumbnails(data.images, pictures.set_index("image_id")["bytes"].loc[ids], data.depth),
    }


def _join(data: DataReport) -> pd.DataFrame:
    """Return one row per readable picture with everything known about it, sorted by image_id.

    `place` is its split or "dropped", `worst` its lowest score, `flagged` whether it has any issue.
    """
    readable = data.manifest[data.manifest["error"].isna()].drop(columns=["label", "error"])
    pictures = readable.merge(data.curated, on="image_id").merge(data.issues, on="image_id")
    splits = data.splits[["image_id", "split", "reason"]].rename(columns={"reason": "unused"})
    pictures = pictures.merge(splits, on="image_id", how="left")
    scores = pictures[[f"{name}_score" for name in ISSUES]].to_numpy()
    return pictures.assign(
        keep=pictures["keep"] & pictures["unused"].isna(),
        reason=pictures["reason"].fillna(pictures["unused"]),
        place=pictures["split"].mask(pictures["unused"].notna()).fillna("dropped"),
        worst=scores.min(axis=1, initial=1),
        flagged=pictures[[f"is_{name}" for name in ISSUES]].any(axis="columns"),
    ).sort_values("image_id", ignore_index=True)


def _rows(pictures: pd.DataFrame) -> list[list[str]]:
    """Return the cells of the table of pictures, those with the worst scores first."""
    worst = pictures.sort_values(["worst", "path"], kind="stable").head(ROWS)
    flags = worst[[f"is_{name}" for name in ISSUES]].to_numpy()
    names = np.array([name.replace("_", " ") for name in ISSUES])
    cells = worst.assign(short=worst["sha256"].str[:8], issues=[", ".join(names[row]) for row in flags])
    columns = ["short", "path", "label", "split", "issues", "reason", "bytes", "width", "height", "mode", "format"]
    columns += ["palette", "orientation"]
    return cells[columns].astype("object").fillna("").to_numpy().tolist()
