"""The data report: one self-contained page from the tables of the data stages."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from darkroom.core.tables import IN_TEST, ISSUES, SPLIT_NAMES
from darkroom.images.convert import Depth
from darkroom.pages.embedded import SMALL, thumbnails
from darkroom.pages.render import render
from darkroom.split import data_summary, sheets
from darkroom.split.constant_facts import constants_sentence
from darkroom.split.fact_charts import fact_bars, fact_charts
from darkroom.split.picture_table import PICTURED, picture_table, worst_first

TEMPLATE = Path(__file__).with_name("data_report.html.j2")


@dataclass(frozen=True)
class DataReport:
    """The page's data: the tables MANIFEST, CURATED, ISSUE_TABLE, SPLITS, the packed pictures, the reports.

    `reports` maps a stage (validate, split) to its report; what they would show is left out without them. `depth` is
    image.depth, `name` the data set's (ingest.source), `digest` that of reports/ingest.json; "" where unknown.
    """

    manifest: pd.DataFrame
    curated: pd.DataFrame
    issues: pd.DataFrame
    splits: pd.DataFrame
    images: Path
    reports: data_summary.Reports
    depth: Depth
    name: str = ""
    digest: str = ""


def write_data_report(path: Path, data: DataReport) -> None:
    """Write the page, UTF-8 HTML; the same bytes for the same data."""
    pictures = _join(data)
    path.write_bytes(render(TEMPLATE, _numbers(pictures, data) | _examples(pictures, data)))


def _numbers(pictures: pd.DataFrame, data: DataReport) -> dict[str, object]:
    """Return the tiles, checks, charts and tables of the page."""
    checks = data.reports.get("validate", {})
    bars, others = data_summary.class_bars(pictures)
    return {
        "name": data.name,
        "digests": {"data": data.digest, "split": data.reports.get("split", {}).get("digest", "")},
        "tiles": data_summary.tiles(pictures, data.manifest, data.reports),
        "checks": data_summary.checks(checks),
        "drift": checks.get("drift") or [],
        "class_bars": bars,
        "other_classes": others,
        "places": [*SPLIT_NAMES, "dropped"],
        "constants": constants_sentence(pictures),
        "charts": fact_charts(pictures),
        "fact_bars": fact_bars(pictures),
        "flags": [(name.replace("_", " "), int(pictures[f"is_{name}"].sum())) for name in ISSUES],
        "unreadable": data_summary.faulty_files(data.manifest),
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
    sizes = pictures.set_index("image_id")["bytes"]
    in_rows = sorted(worst_first(pictures)["image_id"].head(PICTURED))
    return {
        "class_sheets": classes,
        "issue_sheets": issues,
        "groups": groups,
        "thumbnails": thumbnails(data.images, sizes.loc[ids], data.depth),
        "table": picture_table(pictures, thumbnails(data.images, sizes.loc[in_rows], data.depth, SMALL)),
    }


def _join(data: DataReport) -> pd.DataFrame:
    """Return one row per readable picture with everything known about it, sorted by image_id.

    `place` is its split or "dropped", `worst` its lowest score, `flagged` whether it has any issue.
    """
    readable = data.manifest[data.manifest["error"].isna()].drop(columns=["label", "error"])
    pictures = readable.merge(data.curated, on="image_id").merge(data.issues, on="image_id")
    splits = data.splits[["image_id", "split", "reason"]].rename(columns={"reason": "unused"})
    pictures = pictures.merge(splits, on="image_id", how="left")
    nowhere = pictures["keep"] & pictures["split"].isna()
    pictures["unused"] = pictures["unused"].mask(nowhere, IN_TEST)
    scores = pictures[[f"{name}_score" for name in ISSUES]].to_numpy()
    return pictures.assign(
        keep=pictures["keep"] & pictures["unused"].isna(),
        reason=pictures["reason"].fillna(pictures["unused"]),
        place=pictures["split"].mask(pictures["unused"].notna()).fillna("dropped"),
        worst=scores.min(axis=1, initial=1),
        flagged=pictures[[f"is_{name}" for name in ISSUES]].any(axis="columns"),
    ).sort_values("image_id", ignore_index=True)
