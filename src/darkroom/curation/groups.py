"""Groups of pictures that must share a split: connected components of equal keys and of pairs of duplicates."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError


def link_equal(keys: pd.Series) -> np.ndarray:
    """Return pairs (n, 2) int64 of row numbers: each row and the first with its key; missing keys match nothing."""
    present = keys.notna().to_numpy()
    rows = pd.Series(np.flatnonzero(present))
    first = rows.groupby(pd.factorize(keys[present])[0], sort=False).transform("first")
    return np.column_stack([rows, first])


def connect(count: int, links: list[np.ndarray]) -> np.ndarray:
    """Return, for each of `count` rows, the number of the first row in its connected component.

    `links`: arrays (n, 2) of row numbers. The result is (count,) int64; a row without links is its own component.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate([np.empty((0, 2), np.int64), *links])
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    first: np.ndarray = np.unique(component, return_index=True)[1][component]
    return first


def group_keys(paths: pd.Series, expression: str) -> pd.Series:
    """Return what the capturing group of the regular expression `expression` matches in each path.

    Missing where nothing or an empty text matches. Raises UserError when no path matches.
    """
    keys = paths.str.extract(expression, expand=False)
    keys = keys.where(keys != "")
    if len(paths) and keys.isna().all():
        where = f"params.yaml: dedupe.group_by = {expression!r}"
        raise UserError(f"{where}: matches no path, for example not {paths.min()!r}")
    return keys


def find_groups(pictures: pd.DataFrame, duplicates: np.ndarray, group_by: str) -> np.ndarray:
    """Return, for each picture, the row number of the first picture of its group, which must share one split.

    `pictures` has path and group (the manifest's); `duplicates` is the result of find_duplicates. Raises UserError
    when `group_by` matches no path.
    """
    links = [np.column_stack([np.arange(len(pictures)), duplicates]), link_equal(pictures["group"])]
    if group_by:
        links.append(link_equal(group_keys(pictures["path"], group_by)))
    return connect(len(pictures), links)
