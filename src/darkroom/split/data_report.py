"""The data report: one self-contained page from the tables of the data stages."""

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.tables import IN_TEST, ISSUES, SPLIT_NAMES
from darkroom.curation.issues import FLAGGED
from darkroom.curation.pictures import Pictures, Read
from darkroom.images.convert import Depth
from darkroom.pages.embedded import SMALL, thumbnails
from darkroom.pages.render import render
from darkroom.split import data_summary, sheets
from darkroom.split.constant_facts import FACTS, constants_sentence
from darkroom.split.fact_charts import SCALES, fact_bars, fact_charts
from darkroom.split.picture_table import PICTURED, picture_table, worst_first

TEMPLATE = Path(__file__).with_name("data_report.html.j2")
SHOWN = [*FACTS, *SCALES, "bytes", "sharpness", "brightest", "darkest"]  # facts on the page
PLACE = pd.CategoricalDtype([*SPLIT_NAMES, "dropped"])


@dataclass(frozen=True)
class DataReport:
    """The page's data: the pictures, `curated` and `splits` by row number, the packed pictures, the reports.

    `issues` returns columns of the table ISSUE_TABLE. `reports` maps a stage (validate, split) to its report; what they
    would show is left out without them. `depth` is image.depth, `name` the data set's (ingest.source), `digest` that of
    reports/ingest.json; "" where unknown.
    """

    pictures: Pictures
    curated: pd.DataFrame
    issues: Read
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
        "tiles": data_summary.tiles(pictures, data.pictures, data.reports),
        "checks": data_summary.checks(checks),
        "drift": checks.get("drift") or [],
        "class_bars": bars,
        "other_classes": others,
        "places": [*SPLIT_NAMES, "dropped"],
        "constants": constants_sentence(pictures),
        "charts": fact_charts(pictures),
        "fact_bars": fact_bars(pictures),
        "flags": [(name.replace("_", " "), int((pictures[f"{name}_score"] < FLAGGED).sum())) for name in ISSUES],
        "unreadable": data_summary.faulty_files(data.pictures),
        "total": len(pictures),
        "classes": pictures["label"].nunique(),
    }


def _examples(pictures: pd.DataFrame, data: DataReport) -> dict[str, object]:
    """Return the pictures that the page shows: sheets of classes and issues, groups of duplicates, thumbnails."""
    copies = sheets.repeated(pictures)
    groups = {
        "duplicates": sheets.duplicate_groups(copies, data.pictures),
        "conflicts": sheets.conflict_groups(copies, data.pictures),
        "across_splits": sheets.groups_across_splits(copies, data.pictures),
    }
    classes, issues = sheets.class_sheets(pictures, data.pictures), sheets.issue_sheets(pictures, data.pictures)
    shown = [*classes, *issues, *(sheet for group in groups.values() for sheet in group.sheets)]
    names = {card.image_id for sheet in shown for card in sheet.cards}
    worst = worst_first(pictures, data.pictures)
    ids = data.pictures.texts("image_id")
    ids = ids[ids.isin(names)]
    in_rows = worst.set_index("image_id")["bytes"].head(PICTURED).sort_index()
    return {
        "class_sheets": classes,
        "issue_sheets": issues,
        "groups": groups,
        "thumbnails": thumbnails(data.images, pictures["bytes"][ids.index].set_axis(ids), data.depth),
        "table": picture_table(pictures, worst, thumbnails(data.images, in_rows, data.depth, SMALL)),
    }


def _join(data: DataReport) -> pd.DataFrame:
    """Return what is known about each readable picture, by row number, but for its texts.

    `place` is its split or "dropped", `worst` its lowest score, `flagged` whether it has any issue.
    """
    pictures = data.pictures.table(SHOWN)
    scores = data.issues([f"{name}_score" for name in ISSUES])
    worst = reduce(np.minimum, (scores[name].to_numpy() for name in scores))
    split, unused = (data.splits[name].reindex(pictures.index) for name in ("split", "reason"))
    unused = unused.mask(data.curated["keep"] & split.isna(), IN_TEST)
    return pictures.assign(
        **scores,
        **data.curated[["label", "duplicate_id", "given_split"]],
        split=split,
        keep=data.curated["keep"] & unused.isna(),
        reason=data.curated["reason"].fillna(unused),
        place=split.mask(unused.notna()).astype(PLACE).fillna("dropped"),
        worst=worst,
        flagged=worst < FLAGGED,
    )
