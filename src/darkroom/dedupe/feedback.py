"""Feedback among the curated pictures: the source's own are curated as if there were none."""

import numpy as np
import pandas as pd

from darkroom.curation.duplicates import duplicate_reasons, repeated_rows
from darkroom.curation.groups import connect, link_first
from darkroom.curation.pictures import REASON, Pictures
from darkroom.dedupe.curate import FACTS
from darkroom.dedupe.filters import passes_filter
from darkroom.params.data import Dedupe


def add_feedback(own: pd.DataFrame, pictures: Pictures, near_pairs: np.ndarray, params: Dedupe) -> pd.DataFrame:
    """Return what curate_pictures returns, of all readable pictures, from `own`, that of those that are not feedback.

    `near_pairs`: (n, 2) int64, row numbers. Feedback is kept unless it is filtered, repeats other feedback, or repeats
    a kept picture of the source with the same label. With another label it is kept beside that picture, in its group:
    the split decides which of them counts. What looks like several pictures of the source that are no duplicates of
    each other would join them, and is dropped.
    """
    rows = pictures.table([*FACTS, "feedback"])
    places = rows.index[~rows["feedback"]]
    ids = {name: places[own[name]] for name in ("duplicate_id", "group_id")}
    own = own.set_index(places).assign(label=rows["label"], **ids)
    new = rows[rows["feedback"]]
    clusters = _clusters(new, near_pairs)
    repeated = _repeated(rows, own["duplicate_id"], near_pairs)
    repeated["cluster"] = clusters[new.index.get_indexer(pd.Index(repeated["feedback"]))]
    of_cluster = repeated.drop_duplicates(["cluster", "duplicate_id"]).set_index("cluster")["duplicate_id"]
    single = of_cluster[~of_cluster.index.duplicated(keep=False)]
    cluster = pd.Series(clusters, new.index)
    several = cluster.isin(of_cluster.index) & ~cluster.isin(single.index)
    new = new.assign(duplicate_id=_either(cluster.map(single), new.index[clusters]))
    groups = own.drop_duplicates("duplicate_id").set_index("duplicate_id")["group_id"]
    reason = _reasons_among(new, pictures, params)
    reason = reason.fillna(_known_already(new, own, rows["sha256"][places], several))
    added = new.assign(group_id=_either(new["duplicate_id"].map(groups), new["duplicate_id"]), reason=reason)
    return pd.concat([own, added.assign(keep=reason.isna(), weight=1.0)[list(own)]]).sort_index()


def _either(found: pd.Series, otherwise: pd.Index | pd.Series) -> pd.Series:
    """Return the row numbers that were found, or else those of `otherwise`."""
    return found.where(found.notna(), otherwise).astype("int64")


def _clusters(new: pd.DataFrame, near_pairs: np.ndarray) -> np.ndarray:
    """Return, for each row of feedback, the number of the first that it repeats."""
    places = new.index.get_indexer(pd.Index(near_pairs.ravel())).reshape(-1, 2)
    contents = pd.factorize(new["sha256"])[0]
    first = np.unique(contents, return_index=True)[1][contents]
    return connect(len(new), [link_first(first), places[(places >= 0).all(axis=1)]])


def _repeated(rows: pd.DataFrame, duplicates: pd.Series, near_pairs: np.ndarray) -> pd.DataFrame:
    """Return the row numbers of feedback, and the duplicate_id of each picture of the source that it repeats."""
    is_new = rows["feedback"].to_numpy()
    mixed = near_pairs[is_new[near_pairs].sum(axis=1) == 1]
    mixed = np.where(is_new[mixed[:, :1]], mixed, mixed[:, ::-1])
    new, own = (rows.loc[side, ["sha256"]].rename_axis("row").reset_index() for side in (is_new, ~is_new))
    equal = new.merge(own[own["sha256"].isin(new["sha256"])], on="sha256", suffixes=("", "_own"))
    found = np.concatenate([mixed, equal[["row", "row_own"]].to_numpy()])
    return pd.DataFrame({"feedback": found[:, 0], "duplicate_id": duplicates[found[:, 1]].to_numpy()})


def _reasons_among(new: pd.DataFrame, pictures: Pictures, params: Dedupe) -> pd.Series:
    """Return why feedback is dropped, whatever the source holds; missing for what is kept."""
    passes = passes_filter(new, params.filter)
    copies = repeated_rows(new[passes], pictures)
    found = duplicate_reasons(copies, params.model_copy(update={"conflicts": "drop"}))
    return pd.Series("filtered", new.index, dtype=REASON).mask(passes, found)


def _known_already(new: pd.DataFrame, own: pd.DataFrame, contents: pd.Series, several: pd.Series) -> pd.Series:
    """Return why feedback is dropped that the source has with the same label, or has in `several` pictures."""
    kept = own[own["keep"] & own["duplicate_id"].isin(new["duplicate_id"])]
    one, other = (pd.MultiIndex.from_frame(rows[["duplicate_id", "label"]].astype(object)) for rows in (new, kept))
    kind = pd.Series("near duplicate", new.index, dtype=REASON).mask(new["sha256"].isin(contents), "exact duplicate")
    return kind.where(one.isin(other) | several)
