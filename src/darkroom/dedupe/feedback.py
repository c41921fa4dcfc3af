"""Feedback among the curated pictures: the source's own are curated as if there were none."""

import numpy as np
import pandas as pd

from darkroom.core.tables import CURATED
from darkroom.curation.duplicates import duplicate_reasons, readable_pictures
from darkroom.curation.groups import connect, link_equal
from darkroom.dedupe.filters import passes_filter
from darkroom.params.data import Dedupe


def without_feedback(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the source itself."""
    return manifest[~manifest["feedback"]]


def add_feedback(own: pd.DataFrame, manifest: pd.DataFrame, near_pairs: np.ndarray, params: Dedupe) -> pd.DataFrame:
    """Return the curated table of all readable pictures, from `own`, that of those that are not feedback.

    `near_pairs`: (n, 2) int64, row numbers into readable_pictures(manifest). Feedback is kept unless it is filtered,
    repeats other feedback, or repeats a kept picture of the source with the same label. With another label it is kept
    beside that picture, in its group: the split decides which of them counts. What looks like several pictures of the
    source that are no duplicates of each other would join them, and is dropped.
    """
    pictures = readable_pictures(manifest)
    curated = own.set_index("image_id").reindex(pictures["image_id"]).reset_index(drop=True)
    rows = pictures.assign(duplicate_id=curated["duplicate_id"], group_id=curated["group_id"])
    new = rows[rows["feedback"]]
    clusters = _clusters(new, near_pairs)
    repeated = _repeated(rows, near_pairs)
    repeated["cluster"] = clusters[new.index.get_indexer(pd.Index(repeated["feedback"]))]
    of_cluster = repeated.drop_duplicates(["cluster", "duplicate_id"]).set_index("cluster")["duplicate_id"]
    single = of_cluster[~of_cluster.index.duplicated(keep=False)]
    ids = pd.Series(clusters, new.index)
    duplicate = ids.map(single.to_dict()).astype("str").fillna(new["image_id"].iloc[clusters].set_axis(new.index))
    reason = _reasons_among(new.assign(duplicate_id=duplicate), params)
    groups = own.drop_duplicates("duplicate_id").set_index("duplicate_id")["group_id"]
    several = ids.isin(of_cluster.index) & ~ids.isin(single.index)
    reason = reason.fillna(_known_already(new.assign(duplicate_id=duplicate), own, pictures, several))
    added = new.assign(duplicate_id=duplicate, group_id=duplicate.map(groups).fillna(duplicate), reason=reason)
    added = added.assign(keep=reason.isna(), weight=1.0)[list(CURATED)].astype(CURATED)
    return pd.concat([own, added]).sort_values("image_id", ignore_index=True)


def _clusters(new: pd.DataFrame, near_pairs: np.ndarray) -> np.ndarray:
    """Return, for each row of feedback, the number of the first that it repeats."""
    places = new.index.get_indexer(pd.Index(near_pairs.ravel())).reshape(-1, 2)
    return connect(len(new), [link_equal(new["sha256"]), places[(places >= 0).all(axis=1)]])


def _repeated(rows: pd.DataFrame, near_pairs: np.ndarray) -> pd.DataFrame:
    """Return the row numbers of feedback, and the duplicate_id of each picture of the source that it repeats."""
    is_new = rows["feedback"].to_numpy()
    mixed = near_pairs[is_new[near_pairs].sum(axis=1) == 1]
    mixed = np.where(is_new[mixed[:, :1]], mixed, mixed[:, ::-1])
    equal = rows[is_new].reset_index().merge(rows[~is_new], on="sha256", suffixes=("", "_own"))
    return pd.DataFrame(
        {
            "feedback": np.concatenate([mixed[:, 0], equal["index"]]),
            "duplicate_id": np.concatenate([rows["duplicate_id"].to_numpy()[mixed[:, 1]], equal["duplicate_id_own"]]),
        }
    )


def _reasons_among(new: pd.DataFrame, params: Dedupe) -> pd.Series:
    """Return why feedback is dropped, whatever the source holds; missing for what is kept."""
    passes = passes_filter(new, params.filter)
    found = duplicate_reasons(new[passes], params.model_copy(update={"conflicts": "drop"}))
    return pd.Series("filtered", new.index, dtype="str").mask(passes, found)


def _known_already(new: pd.DataFrame, own: pd.DataFrame, pictures: pd.DataFrame, several: pd.Series) -> pd.Series:
    """Return why feedback is dropped that the source has with the same label, or has in `several` pictures."""
    kept = own[own["keep"]]
    same = pd.MultiIndex.from_frame(new[["duplicate_id", "label"]]).isin(
        pd.MultiIndex.from_frame(kept[["duplicate_id", "label"]])
    )
    exact = new["sha256"].isin(pictures["sha256"][~pictures["feedback"]])
    kind = pd.Series("near duplicate", new.index, dtype="str").mask(exact, "exact duplicate")
    return kind.where(same | several)
