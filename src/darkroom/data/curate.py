"""Which pictures are used, and why the others are not."""

from typing import Any

import pandas as pd

from darkroom.data.balance import undersample
from darkroom.data.duplicates import conflict_paths, curate
from darkroom.files import digest
from darkroom.params.schema import Dedupe
from darkroom.tables import CURATED


def curate_pictures(manifest: pd.DataFrame, params: Dedupe) -> pd.DataFrame:
    """Return the curated table (tables.CURATED), a row for each readable picture, sorted by image_id."""
    curated = curate(manifest)
    if params.balance == "undersample":
        given = manifest.set_index("image_id")["given_split"].reindex(curated["image_id"])
        curated = undersample(curated, pd.Series(given.to_numpy() == "test", index=curated.index), params.seed)
    return curated.astype(CURATED)[list(CURATED)]


def headline(report: dict[str, Any]) -> str:
    """Return what the terminal says of a finished dedupe."""
    text = f"dedupe: {report['kept']} pictures kept"
    for reason, count in sorted(report["dropped_because"].items()):
        text += f"; {count} dropped: {reason}"
    return text + ("; reports/dedupe.json lists the conflicts" if report["conflicts"] else "")


def summarise(curated: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, Any]:
    """Return the report: how many pictures stay, and how many go for which reason."""
    reasons = curated["reason"].value_counts()
    conflicts = conflict_paths(curated, manifest)
    return {
        "exact_duplicates": int(reasons.get("exact duplicate", 0)),
        "near_duplicates": 0,
        "conflicts": len(conflicts),
        "conflict_paths": conflicts,
        "filtered": int((~curated["keep"]).sum()),
        "kept": int(curated["keep"].sum()),
        "kept_per_class": curated[curated["keep"]]["label"].value_counts().to_dict(),
        "dropped_because": reasons.to_dict(),
        "digest": digest(curated[["image_id", "keep"]].to_numpy().tolist()),
    }
