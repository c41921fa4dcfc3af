"""Groups of pictures that must share a split: connected components of equal keys and of pairs of duplicates."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.fingerprint import CHUNK, hash_texts
from darkroom.curation.pictures import HASH_KEY, Pictures, first_equal


def link_first(first: np.ndarray) -> np.ndarray:
    """Return pairs (n, 2) int64: each row and the first of its kind, `first`, where that is another one."""
    rows = np.flatnonzero(first != np.arange(len(first)))
    return np.column_stack([rows, first[rows]])


def connect(count: int, links: list[np.ndarray]) -> np.ndarray:
    """Return, for each of `count` rows, the number of the first row in its connected component.

    `links`: arrays (n, 2) of row numbers. The result is (count,) int64; a row without links is its own component.
    """
    pairs, first = np.concatenate([np.empty((0, 2), np.int64), *links]), np.arange(count)
    if not len(pairs):
        return first
    from scipy.sparse import coo_array  # which takes longer than all else here on a small set
    from scipy.sparse.csgraph import connected_components

    linked = np.zeros(count, bool)
    linked[pairs] = True
    rows, place = np.flatnonzero(linked), np.cumsum(linked, dtype=np.int32) - np.int32(1)
    ends = place[pairs]
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(len(rows), len(rows)))
    component = connected_components(graph, directed=False)[1]
    first[rows] = rows[np.unique(component, return_index=True)[1][component]]
    return first


def is_shared(groups: np.ndarray) -> np.ndarray:
    """Return, for each row, whether another one has its group; groups are numbered from 0."""
    shared: np.ndarray = (np.bincount(groups) > 1)[groups]
    return shared


def lowest_in_group(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each row, the lowest value (an integer) of its group; groups are numbered from 0."""
    lowest = np.full(groups.max(initial=-1) + 1, np.iinfo(values.dtype).max, values.dtype)
    np.minimum.at(lowest, groups, values)
    of_rows: np.ndarray = lowest[groups]
    return of_rows


def differ_in_group(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each row, whether the rows of its group have more than one value (a signed integer)."""
    different: np.ndarray = lowest_in_group(groups, values) != -lowest_in_group(groups, -values)
    return different


def group_keys(paths: pd.Series, expression: str) -> pd.Series:
    """Return what the capturing group of the regular expression `expression` matches in each path.

    Missing where nothing or an empty text matches. Raises UserError when no path matches.
    """
    starts = range(0, max(len(paths), 1), CHUNK)
    keys: pd.Series = pd.concat(
        [paths.iloc[start : start + CHUNK].str.extract(expression, expand=False) for start in starts]
    )
    keys = keys.where(keys != "")
    if len(paths) and keys.isna().all():
        where = f"params.yaml: dedupe.group_by = {expression!r}"
        raise UserError(f"{where}: matches no path, for example not {paths.min()!r}")
    return keys


def find_groups(pictures: Pictures, duplicates: np.ndarray, group_by: str) -> np.ndarray:
    """Return, for each picture, the row number of the first picture of its group, which must share one split.

    `duplicates` is the result of find_duplicates. Raises UserError when `group_by` matches no path.
    """
    links = [link_first(duplicates), link_first(pictures.first_equal("group"))]
    if group_by:
        keys = group_keys(pictures.texts("path"), group_by)
        links.append(link_first(first_equal(hash_texts(keys, HASH_KEY), keys.iloc.__getitem__)))
    return connect(len(pictures), links)
