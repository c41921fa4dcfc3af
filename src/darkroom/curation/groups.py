"""What belongs together: connected components of equal keys and of pairs that were found alike."""

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError


def link_equal(keys: pd.Series) -> np.ndarray:
    """Return pairs (n, 2) int64 of row numbers: each row with the first one of the same key; a missing key is alone."""
    present = keys.notna().to_numpy()
    rows = pd.Series(np.flatnonzero(present))
    first = rows.groupby(pd.factorize(keys[present])[0], sort=False).transform("first")
    return np.column_stack([rows, first])


def connect(count: int, links: list[np.ndarray]) -> np.ndarray:
    """Return for each of `count` rows the number of the first row that it is linked to, directly or through others.

    `links`: arrays (n, 2) of row numbers. The answer is (count,) int64; a row without links is its own first.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate([np.empty((0, 2), np.int64), *links])
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    first = np.unique(component, return_index=True)[1]
    return np.asarray(first[component])


def group_keys(paths: pd.Series, expression: str) -> pd.Series:
    """Return the text that the one group of the regular expression `expression` finds in each path.

    Missing where it finds nothing, or an empty text. Raises UserError when it finds nothing in any path.
    """
    keys = paths.str.extract(expression, expand=False)
    keys = keys.where(keys != "")
    if len(paths) and keys.isna().all():
        where = f"params.yaml: dedupe.group_by = {expression!r}"
        raise UserError(f"{where}: matches no path, for example {paths.min()!r}")
    return keys


def find_groups(pictures: pd.DataFrame, duplicates: np.ndarray, group_by: str) -> np.ndarray:
    """Return for each picture the row number of the first one that it must share its split with.

    `pictures` has path and group (the manifest's); `duplicates` is the answer of find_duplicates. Raises UserError
    when `group_by` finds nothing.
    """
    links = [np.column_stack([np.arange(len(pictures)), duplicates]), link_equal(pictures["group"])]
    if group_by:
        links.append(link_equal(group_keys(pictures["path"], group_by)))
    return connect(len(pictures), links)
