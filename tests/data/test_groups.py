from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.curation.groups import connect, find_groups, group_keys, link_first
from pictures import manifest_of, pictures_of

COUNT = 12
ROW = st.integers(0, COUNT - 1)
LINKS = st.lists(st.tuples(ROW, ROW), max_size=15)
KEYS = st.lists(st.sampled_from(["x", "y", "z", None]), min_size=COUNT, max_size=COUNT)


def first_of(keys: list[str | None]) -> np.ndarray:
    return pictures_of(manifest_of([{"group": key} for key in keys])).first_equal("group")


def naive(links: list[tuple[int, int]]) -> list[int]:
    """Return the first row of each row's component, by joining sets until nothing changes."""
    first = list(range(COUNT))
    for _ in range(COUNT):
        for one, other in links:
            first[one] = first[other] = min(first[one], first[other])
    return first


@settings(max_examples=100, deadline=None)
@given(LINKS, KEYS)
def test_components_are_those_of_joining_sets(links: Any, keys: Any) -> None:
    equal = [(a, b) for a in range(COUNT) for b in range(a) if keys[a] is not None and keys[a] == keys[b]]
    pairs = np.array(links, np.int64).reshape(-1, 2)
    found = connect(COUNT, [pairs, link_first(first_of(keys))])
    assert found.tolist() == naive(links + equal)


def test_nothing_is_no_group() -> None:
    assert connect(0, []).tolist() == [] and link_first(first_of([])).shape == (0, 2)


def test_the_expression_the_source_and_duplicates_join_and_nothing_else() -> None:
    paths = ["a/p1_0.png", "a/p1_1.png", "b/p2_0.png", "b/other.png", "b/more.png", "b/p3_0.png"]
    groups = ["p2", None, None, "p2", None, None]  # no text of the expression, though it reads alike
    rows = [{"path": path, "group": group} for path, group in zip(paths, groups, strict=True)]
    pictures = pictures_of(manifest_of(rows))
    duplicates = np.array([0, 1, 2, 3, 4, 4])
    assert find_groups(pictures, duplicates, r"/(p\d)_").tolist() == [0, 0, 2, 0, 4, 4]
    assert find_groups(pictures, duplicates, "").tolist() == [0, 1, 2, 0, 4, 4]


def test_an_empty_text_joins_nothing() -> None:
    assert group_keys(pd.Series(["a1", "b", "c"]), r"(\d*)$").isna().tolist() == [False, True, True]


def test_an_expression_that_matches_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"dedupe.group_by = 'patient\(.*\)': matches no path.*'a/1.png'"):
        group_keys(pd.Series(["b/2.png", "a/1.png"]), r"patient(\d+)")
