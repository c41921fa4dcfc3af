"""The data report's table of pictures, those with the worst scores first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.core.tables import ISSUES
from darkroom.curation.issues import FLAGGED
from darkroom.curation.pictures import Pictures
from darkroom.pages.embedded import SMALL
from darkroom.split.constant_facts import constant_facts
from darkroom.split.sheets import with_texts

ROWS = 2000
PICTURED = 300  # of the rows, which the page shows with their picture
COLUMNS = {  # name -> heading, after the picture
    "path": "Path",
    "label": "Label",
    "split": "Split",
    "issues": "Issues",
    "reason": "Why not used",
    "width": "Width",
    "height": "Height",
    "bytes": "Bytes",
    "format": "Format",
    "mode": "Mode",
    "palette": "Palette",
    "orientation": "Orientation",
    "short": "Hash",
}


@dataclass(frozen=True)
class PictureTable:
    """Headings and cells (str, int, Markup); `left_out` says which columns are not shown, as all pictures agree."""

    columns: list[str]
    rows: list[list[object]]
    left_out: list[str]


def worst_first(pictures: pd.DataFrame, texts: Pictures) -> pd.DataFrame:
    """Return the pictures of the table's rows in their order, with their texts."""
    limit = pictures["worst"].sort_values(ignore_index=True).head(ROWS).max()
    worst = pictures.loc[pictures["worst"] <= limit, ["worst"]]
    worst = worst.assign(path=texts.texts("path", worst.index))
    return with_texts(pictures.loc[worst.sort_values(["worst", "path"], kind="stable").head(ROWS).index], texts)


def picture_table(pictures: pd.DataFrame, worst: pd.DataFrame, small: Mapping[str, str]) -> PictureTable:
    """Return the table of the `worst` ones; `small` maps the image_id of those that are shown to a data URL."""
    flags = worst[[f"{name}_score" for name in ISSUES]].to_numpy() < FLAGGED
    names = np.array([name.replace("_", " ") for name in ISSUES])
    issues = [", ".join(names[row]) for row in flags]
    cells = worst.assign(short=worst["sha256"].str[:8], issues=issues)
    constants: dict[str, object] = constant_facts(pictures)
    constants |= {name: None for name in ("issues", "reason", "palette") if not _any(cells[name])}
    shown = [name for name in COLUMNS if name not in constants]
    texts = cells[shown].astype("object").fillna("").to_numpy().tolist()
    rows = [[_image(small, row), *text] for row, text in zip(worst.itertuples(), texts, strict=True)]
    left_out = [f"{COLUMNS[name].lower()} {'none' if value is None else value}" for name, value in constants.items()]
    return PictureTable(["Picture", *(COLUMNS[name] for name in shown)], rows, left_out)


def _any(values: pd.Series) -> bool:
    return bool((values.notna() & (values.astype("str") != "")).any())


def _image(small: Mapping[str, str], row: Any) -> Markup:
    if row.image_id not in small:
        return Markup("")
    tone = "small tiny" if max(row.width, row.height) <= SMALL else "small"
    return Markup('<img class="{}" src="{}" alt="" loading="lazy">').format(tone, small[row.image_id])
