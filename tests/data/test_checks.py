"""Every expectation of the suite passes on good data and fails on what it is for. Great Expectations runs for real."""

from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.params.data import Drift, Validate
from darkroom.validate.checks import check_manifest, require_success, summarise, warnings_of
from darkroom.validate.expectations import read_expectations
from darkroom.validate.outcome import Check
from pictures import manifest_of

DRIFT = Drift(share=0.05, size=1.25, brightness=0.05)
LIMITS = Validate(min_per_class=2, max_unreadable=0.25, min_side=8, max_side=100, max_imbalance=3.0, drift=DRIFT)
GOOD: list[dict[str, Any]] = [
    *({"label": "a", "given_split": "train"} for _ in range(6)),
    *({"label": "b"} for _ in range(2)),
    {"label": "b", "path": "b/text.png", "error": "is empty", "width": None, "height": None, "given_split": "test"},
]
BREAKS: list[tuple[str, dict[int, dict[str, Any]], list[str]]] = [
    ("image_id of files", {1: {"image_id": "0" * 20}}, ["unique values", "0.png", "1.png"]),
    ("path of files", {1: {"path": None}}, ["no missing values", "1 of 9"]),
    ("unreadable of files", {i: {"error": "torn"} for i in (0, 1)}, ["at most 0.25", "0.333", "0.png (torn)"]),
    ("label of pictures", {1: {"label": None}}, ["no missing values", "1.png"]),
    ("label of pictures", {1: {"label": "z", "given_split": "test"}}, ["one of a, b", "1.png (z)"]),
    ("given_split of pictures", {1: {"given_split": "dev"}}, ["one of train, validation, test", "1.png (dev)"]),
    ("width of pictures", {1: {"width": 7}}, ["8 to 100", "1.png (7)"]),
    ("width of pictures", {2: {"width": 101}}, ["8 to 100", "2.png (101)"]),
    ("height of pictures", {1: {"height": 7}}, ["8 to 100", "1.png (7)"]),
    ("pictures of classes", {7: {"label": "c"}}, ["at least 2", "b (1)"]),
    ("imbalance of classes", {6: {"label": "a"}}, ["at most 3", "b (7)"]),
]


def checked(changes: dict[int, dict[str, Any]], drop: str = "path of nothing") -> list[Check]:
    rows = [row | changes.get(number, {}) for number, row in enumerate(GOOD)]
    return check_manifest(manifest_of(rows).drop(columns=drop, errors="ignore"), LIMITS)


def failed(checks: list[Check]) -> list[str]:
    return [check["about"] for check in checks if not check["success"]]


@pytest.fixture(scope="module")
def good() -> list[Check]:
    return checked({})


def test_good_data_passes(good: list[Check]) -> None:
    assert failed(good) == []
    require_success(good)
    report = summarise(good)
    assert (report["success"], report["failed"], report["expectations"]) == (True, 0, len(good))
    assert len(good) >= 20


@pytest.mark.parametrize(("about", "changes", "said"), BREAKS, ids=[str(one[:2]) for one in BREAKS])
def test_each_expectation_fails_on_what_it_is_for(about: Any, changes: Any, said: Any) -> None:
    checks = checked(changes)
    assert about in failed(checks)
    with pytest.raises(UserError) as caught:
        require_success(checks)
    lines = [line for line in str(caught.value).splitlines() if f"  {about}: expected" in line]
    assert caught.value.status == 1 and "params.yaml: validate" in str(caught.value)
    assert [part for part in said if not any(part in line for line in lines)] == [], str(caught.value)
    report = summarise(checks)
    assert not report["success"] and report["failed"] == len(failed(checks))


def test_a_missing_column_fails() -> None:
    assert failed(checked({}, drop="format")) == ["format of files"]


def test_a_folder_without_a_readable_picture_is_no_class_and_counts_as_unreadable() -> None:
    changes = {6: {"error": "torn"}, 7: {"error": "torn"}}
    assert failed(checked(changes)) == ["unreadable of files"]


def test_the_report_holds_no_limit(good: list[Check]) -> None:
    generous = LIMITS.model_copy(update={"max_side": 5000, "max_imbalance": 9.0})
    rows = check_manifest(manifest_of(GOOD), generous)
    assert summarise(rows) == summarise(good)


OWN = """
- {expect: column_values_to_be_between, about: pictures, column: entropy, min_value: 2, mostly: 0.5, severity: warn}
- {expect: ExpectColumnMeanToBeBetween, about: pictures, column: brightness, max_value: 0.9, severity: warn}
- {expect: expect_column_values_to_match_like_pattern, about: files, column: path, like_pattern: a, severity: warn}
- {expect: table_row_count_to_be_between, about: classes, max_value: 1, severity: fail}
- {expect: column_pair_values_to_be_equal, about: pictures, column_A: width, column_B: height, severity: warn}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> list[Check]:
    file = tmp_path_factory.mktemp("own") / "expectations.yaml"
    file.write_text(OWN)
    rows = [row | {"entropy": 1.5 if number < 2 else 6.0, "brightness": 0.95} for number, row in enumerate(GOOD)]
    return check_manifest(manifest_of(rows), LIMITS, read_expectations(file))


def test_what_the_team_expects_warns_or_fails_as_it_says(own: list[Check]) -> None:
    held, bright, pattern, classes, square = own[-5:]
    assert held["success"] and held["expected"] == "at least 2 in 50 %"
    assert [check["severity"] for check in (bright, pattern, classes, square)] == ["warn", "warn", "fail", "warn"]
    with pytest.raises(UserError) as caught:
        require_success(own)
    assert str(caught.value).splitlines()[1:] == ["  classes: expected table row count at most 1, found 2"]
    assert warnings_of(own)[0] == "brightness of pictures: expected mean at most 0.9, found 0.95"
    assert warnings_of(own)[2].endswith(
        "found 8 of 8 unexpected; for example 0.png (20, 30), 1.png (20, 30), 2.png (20, 30)"
    )


def test_what_cannot_be_evaluated_has_failed_and_says_why(own: list[Check]) -> None:
    assert "cannot be evaluated: No provider found" in warnings_of(own)[1]


def test_the_report_counts_warnings_and_says_nothing_of_a_limit_that_holds(own: list[Check]) -> None:
    report = summarise(own)
    assert (report["success"], report["failed"], report["warned"]) == (False, 1, 3)
    assert report["warnings"] == warnings_of(own)
    assert report["checks"][-5] == {
        "name": "expect_column_values_to_be_between",
        "about": "entropy of pictures",
        "severity": "warn",
        "success": True,
        "observed": None,
    }
