from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.core.tables import ISSUE_TABLE, ISSUES
from darkroom.curation.issues import find_issues
from darkroom.params.data import Issues
from pictures import manifest_of, pictures_of

LIMITS = Issues(dark=0.2, bright=0.8, blurred=50.0, low_information=2.0, odd_size=5.0, odd_aspect=3.0, greyscale=0.25)
FINE = {"brightest": 0.9, "darkest": 0.1, "sharpness": 900.0, "entropy": 7.0, "greyscale": False}
WORSE: dict[str, tuple[str, list[float]]] = {  # issue -> fact, from the best to the worst, the limit in the middle
    "dark": ("brightest", [1.0, 0.5, 0.2, 0.1, 0.0]),
    "bright": ("darkest", [0.0, 0.5, 0.8, 0.9, 1.0]),
    "blurred": ("sharpness", [1e9, 100.0, 50.0, 5.0, 0.0]),
    "low_information": ("entropy", [8.0, 5.0, 2.0, 1.0, 0.0]),
    "odd_aspect": ("width", [30, 60, 90, 120, 30_000_000]),
}


def issues_of(rows: list[dict[str, Any]], duplicates: dict[int, int] | None = None) -> pd.DataFrame:
    """Return the issues of pictures that are fine but for what the rows say; `duplicates` maps row to first row."""
    manifest = manifest_of([FINE | row for row in rows])
    return scored(manifest, LIMITS, duplicates or {})


def scored(manifest: pd.DataFrame, limits: Issues, duplicates: dict[int, int]) -> pd.DataFrame:
    pictures = pictures_of(manifest)
    first = np.array([duplicates.get(number, number) for number in range(len(pictures))], np.int64)
    return find_issues(pictures, pictures.table(["label"]).assign(duplicate_id=first), limits)


def flagged(issues: pd.DataFrame, name: str) -> list[int]:
    return np.flatnonzero(issues[f"is_{name}"]).tolist()


def test_table_has_its_columns_and_a_row_for_each_readable_picture() -> None:
    issues = issues_of([{}, {"error": "is empty"}, {}])
    assert issues.dtypes.astype(str).to_dict() == ISSUE_TABLE
    assert issues["image_id"].tolist() == [f"{0:020x}", f"{2:020x}"]
    assert not issues.filter(like="is_").to_numpy().any()


@pytest.mark.parametrize("issue", WORSE)
def test_score_falls_from_1_to_0_and_is_half_at_the_limit(issue: str) -> None:
    fact, values = WORSE[issue]
    issues = issues_of([{fact: value} for value in values])
    scores = issues[f"{issue}_score"].to_numpy()
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert scores[2] == 0.5
    assert scores[-1] == pytest.approx(0, abs=1e-5)
    assert (np.diff(scores) < 0).all()
    assert flagged(issues, issue) == [3, 4]


def test_size_is_odd_against_the_median_either_way() -> None:
    plain = [{"width": 100, "height": 100}] * 5
    issues = issues_of([*plain, {"width": 500, "height": 100}, {"width": 10, "height": 10}, {"width": 800}])
    assert issues["odd_size_score"][5] == 0.5
    assert flagged(issues, "odd_size") == [6]
    assert (issues["odd_size_score"][:5] == 1).all()


@pytest.mark.parametrize(("grey", "expected"), [(1, [0]), (2, []), (8, [])])
def test_greyscale_is_an_issue_only_where_it_is_rare(grey: int, expected: list[int]) -> None:
    issues = issues_of([{"greyscale": number < grey} for number in range(8)])
    assert flagged(issues, "greyscale") == expected


def test_greyscale_right_at_the_limit_scores_half() -> None:
    issues = issues_of([{"greyscale": number < 2} for number in range(8)])
    assert issues["greyscale_score"].tolist() == [0.5, 0.5, 1, 1, 1, 1, 1, 1]


def test_all_members_of_a_group_are_flagged() -> None:
    same = {"sha256": "same"}
    rows = [same, same, {}, {}, {"label": "b"}, {"label": "a"}, {}]
    issues = issues_of(rows, {1: 0, 3: 2, 5: 4})
    assert flagged(issues, "exact_duplicate") == [0, 1]
    assert flagged(issues, "near_duplicate") == [2, 3, 4, 5]
    assert flagged(issues, "label_conflict") == [4, 5]
    assert set(issues["label_conflict_score"]) == {0, 1}


def test_missing_facts_are_no_issue() -> None:
    facts = dict.fromkeys(("brightest", "darkest", "sharpness", "entropy", "greyscale"))
    issues = issues_of([facts, facts])
    scores = issues[["dark_score", "bright_score", "blurred_score", "low_information_score", "greyscale_score"]]
    assert (scores.to_numpy() == 1).all()


def test_limit_at_the_end_of_the_scale_flags_nothing() -> None:
    off = Issues(dark=0, bright=1, blurred=0, low_information=0, odd_size=1e9, odd_aspect=1e9, greyscale=0)
    black = {"brightest": 0.0, "darkest": 0.0, "sharpness": 0.0, "entropy": 0.0, "greyscale": True}
    white = {"brightest": 1.0, "darkest": 1.0, "sharpness": 0.0, "entropy": 0.0, "greyscale": False}
    manifest = manifest_of([black, white, FINE])
    assert not scored(manifest, off, {}).filter(like="is_").to_numpy().any()


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8), st.floats(0.015625, 0.984375, width=32))
def test_flag_is_a_score_below_half_and_a_fact_beyond_the_limit(facts: list[float], limit: float) -> None:
    manifest = manifest_of([FINE | {"brightest": fact, "darkest": fact} for fact in facts])
    issues = scored(manifest, LIMITS.model_copy(update={"dark": limit, "bright": limit}), {})
    for name in ISSUES:
        assert issues[f"{name}_score"].between(0, 1).all()
        assert (issues[f"is_{name}"] == (issues[f"{name}_score"] < 0.5)).all()
    for fact, dark, bright in zip(facts, issues["is_dark"], issues["is_bright"], strict=True):
        if abs(fact - limit) > 1e-5:
            assert (dark, bright) == (fact < limit, fact > limit)


def test_no_picture_gives_no_row() -> None:
    assert issues_of([{"error": "is empty"}]).empty
