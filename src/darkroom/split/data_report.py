"""The data report: a self-contained page about the tables of the data stages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkroom.core.tables import ISSUES, SPLIT_NAMES
from darkroom.images.convert import Depth
from darkroom.pages.embedded import preview_urls
from darkroom.pages.render import render
from darkroom.split import data_summary, sheets
from darkroom.split.fact_charts import fact_charts

ROWS = 2000
KINDS = ("format", "mode", "orientation", "palette")
TEMPLATE = Path(__file__).parent / "data_report.html.j2"


@dataclass(frozen=True)
class DataReport:
    """What the page is made of: the tables MANIFEST, CURATED, ISSUE_TABLE, SPLITS, the packed pictures, the reports.

    `reports` maps a stage (validate, split) to its report; without them the page has less. `depth` is image.depth.
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
    path.write_bytes(render(TEMPLATE, _content(data)))


def _content(data: DataReport) -> dict[str, Any]:
    pictures = _join(data)
    considered = pictures[pictures["reason"].fillna("") != "filtered"]  # as dedupe counts them
    groups = {
        "duplicates": sheets.duplicate_groups(considered),
        "conflicts": sheets.conflict_groups(considered),
        "border": sheets.border_groups(considered),
    }
    shown = {"classes": sheets.class_sheets(pictures), "issues": sheets.issue_sheets(pictures)}
    every = [*shown["classes"], *shown["issues"], *(sheet for group in groups.values() for sheet in group.sheets)]
    ids = sorted({card.image_id for sheet in every for card in sheet.cards})
    bars, others = data_summary.class_bars(pictures)
    return {
        "tiles": data_summary.tiles(pictures, data.manifest, data.reports),
        "checks": data_summary.checks(data.reports.get("validate", {})),
        "drift": data.reports.get("validate", {}).get("drift") or [],
        "class_bars": bars,
        "other_classes": others,
        "places": [*SPLIT_NAMES, "dropped"],
        "charts": fact_charts(pictures),
        "kinds": {name: data_summary.value_bars(pictures[name]) for name in KINDS},
        "flags": [(name.replace("_", " "), int(pictures[f"is_{name}"].sum())) for name in ISSUES],
        "sheets": shown,
        "groups": groups,
        "previews": preview_urls(data.images, pictures.set_index("image_id")["bytes"].loc[ids], data.depth),
        "unreadable": data_summary.noted_files(data.manifest),
        "rows": _rows(pictures),
        "total": len(pictures),
        "classes": pictures["label"].nunique(),
    }


def _join(data: DataReport) -> pd.DataFrame:
    """Return a row for each readable picture with all that is known of it, sorted by image_id.

    `place` is its split or "dropped", `worst` its lowest score, `flagged` whether it has any flag.
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
    """Return the cells of the table of single pictures, those with the worst score first."""
    worst = pictures.sort_values(["worst", "path"], kind="stable").head(ROWS)
    flags = worst[[f"is_{name}" for name in ISSUES]].to_numpy()
    names = np.array([name.replace("_", " ") for name in ISSUES])
    cells = worst.assign(short=worst["sha256"].str[:8], issues=[", ".join(names[row]) for row in flags])
    columns = ["short", "path", "label", "split", "issues", "reason", "bytes", "width", "height", "mode", "format"]
    columns += ["palette", "orientation"]
    return cells[columns].astype("object").fillna("").to_numpy().tolist()
