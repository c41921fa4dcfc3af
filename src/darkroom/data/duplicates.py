"""Pictures with the same content: one stays; none, when people disagree about what it shows."""

import pandas as pd

# of a group's copies one given as test is kept, so that a published test split stays whole
PRECEDENCE = {"test": 0, "validation": 1, "train": 2}


def find_groups(pictures: pd.DataFrame) -> pd.Series:
    """Return the group_id of each picture: the image_id of the first one with the same content.

    `pictures` has image_id and sha256 and is sorted by image_id.
    """
    return pictures.groupby("sha256", sort=False)["image_id"].transform("first")


def curate(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the curated table: the readable pictures, duplicates and label conflicts marked with the reason."""
    pictures = manifest[manifest["error"].isna()].sort_values("image_id", ignore_index=True)
    curated = pictures[["image_id", "label"]].assign(group_id=find_groups(pictures), keep=True, reason=None, weight=1.0)
    conflict = curated.groupby("group_id")["label"].transform("nunique") > 1
    rank = pictures["given_split"].map(PRECEDENCE).fillna(PRECEDENCE["train"])
    order = pd.DataFrame({"group": curated["group_id"], "rank": rank, "path": pictures["path"]})
    repeated = order.sort_values(["group", "rank", "path"]).duplicated("group").sort_index()
    curated.loc[repeated, "reason"] = "exact duplicate"
    curated.loc[conflict, "reason"] = "label conflict"
    curated["keep"] = curated["reason"].isna()
    return curated


def conflict_paths(curated: pd.DataFrame, manifest: pd.DataFrame) -> list[list[str]]:
    """Return the paths of each group that has the same content under two labels."""
    rows = curated[curated["reason"] == "label conflict"].merge(manifest[["image_id", "path"]], on="image_id")
    return sorted(sorted(paths) for _, paths in rows.groupby("group_id")["path"])
