from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.split.stratify import stratify

FEW = settings(max_examples=40, deadline=None)


def table_of(groups: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the group and the class of each picture; `groups` has the classes of the pictures of each group."""
    numbers = [number for number, group in enumerate(groups) for _ in group]
    return np.array(numbers, np.int64), np.array([one for group in groups for one in group], np.int64)


def counts_of(groups: list[list[int]], shares: list[float], cover_first: bool = True) -> np.ndarray:
    """Return how many pictures of each class (column) each part (row) gets."""
    numbers, classes = table_of(groups)
    parts = stratify(numbers, classes, shares, cover_first)
    counts = np.zeros((len(shares), int(classes.max()) + 1), int)
    np.add.at(counts, (parts[numbers], classes), 1)
    return counts


@pytest.mark.parametrize("shares", [[0.65, 0.15, 0.2], [0.8, 0.2], [0.2] * 5])
@pytest.mark.parametrize(
    ("classes", "each", "largest"),
    [
        (2, 1000, 1),
        (2, 1000, 4),
        (10, 130, 1),
        (10, 130, 4),
        (100, 30, 1),
        (100, 30, 2),
        (100, 10, 1),
        (400, 3, 1),
        (250, 5, 1),
    ],
)
def test_the_shares_are_met_within_a_hundredth(shares: Any, classes: int, each: int, largest: int) -> None:
    random = np.random.default_rng(0)
    groups = []
    for one in range(classes):
        left = each
        while left:
            size = min(left, int(random.integers(1, largest + 1)))
            groups.append([one] * size)
            left -= size
    counts = counts_of(groups, shares, cover_first=shares[0] > 0.5)  # folds ask for no such thing
    total, wanted = counts.sum(), np.array(shares)[:, None]
    assert np.abs(counts.sum(axis=1) / total - shares).max() <= 0.01
    assert np.abs(counts - wanted * counts.sum(axis=0)).max() / total <= 0.01


@pytest.mark.parametrize("mixture", [2, 5, 20])
def test_groups_of_several_classes_meet_the_shares_too(mixture: int) -> None:
    random = np.random.default_rng(1)
    groups = [random.integers(0, mixture, random.integers(1, 9)).tolist() for _ in range(1000)]
    counts = counts_of(groups, [0.65, 0.15, 0.2])
    assert np.abs(counts.sum(axis=1) / counts.sum() - [0.65, 0.15, 0.2]).max() <= 0.01
    wanted = np.array([[0.65], [0.15], [0.2]]) * counts.sum(axis=0)
    assert np.abs(counts - wanted).max() / counts.sum() <= 0.01


@FEW
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=30), st.floats(0.02, 0.98))
def test_every_class_is_in_the_first_part_and_in_all_when_it_has_groups_enough(groups: Any, share: Any) -> None:
    counts = counts_of(groups, [1 - share, share / 2, share / 2])
    present = sorted({one for group in groups for one in group})
    assert (counts[0, present] > 0).all()
    alone = [one for one in present if all(len(set(group)) == 1 for group in groups if one in group)]
    for one in alone:
        if sum(one in group for group in groups) >= 3:
            assert (counts[:, one] > 0).all()


@FEW
@given(st.lists(st.integers(1, 5), min_size=2, max_size=30), st.integers(2, 9))
def test_a_class_of_two_groups_or_more_is_never_in_one_fold_only(sizes: Any, folds: Any) -> None:
    counts = counts_of([[0] * size for size in sizes], [1 / folds] * folds, cover_first=False)
    assert (counts > 0).sum() >= min(2, len(sizes))


def test_a_class_that_is_one_large_group_does_not_spoil_the_others() -> None:
    counts = counts_of([[0] * 500, *[[1]] * 500], [0.6, 0.2, 0.2])
    assert counts[0, 0] == 500
    assert np.abs(counts[:, 1] - [300, 100, 100]).max() <= 50


def test_nothing_is_divided_into_nothing() -> None:
    empty = np.array([], np.int64)
    assert stratify(empty, empty, [0.5, 0.5], True).tolist() == []
