"""The gate: what a model must reach, and when it takes the champion's place."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.gate.criteria import Measurements, examine
from darkroom.gate.verdict import Candidate, Comparison, Criterion, Verdict, judge, settled
from darkroom.params.release import Gate

CHAMPION = Candidate(
    content="content",
    network="network",
    classes=["cat", "dog"],
    data="data",
    scores={"validation": {"accuracy": 0.9, "log_loss": 0.3}, "test": {"accuracy": 0.8, "log_loss": 0.4}},
)
MODEL = replace(CHAMPION, content="other", network="other")
MET = Criterion("accuracy", "at least 0.8", 0.9, True)
UNMET = Criterion("accuracy", "at least 0.95", 0.9, False, "validation accuracy 0.9 is below 0.95")
EQUAL = Comparison("accuracy", 100, 0.0, (-0.02, 0.02))
OFF: dict[str, Any] = {
    "minimum": {},
    "minimum_low": {},
    "class_recall": 0.0,
    "calibration_error": 1.0,
    "slice_gap": 1.0,
    "latency": 0.0,
    "kilobytes": 0.0,
}
MEASURED = Measurements(
    scores={"accuracy": 0.9, "log_loss": 0.3, "roc_auc": None, "interval": {"accuracy": [0.86, 0.93], "roc_auc": None}},
    details={
        "calibration_error": 0.04,
        "weakest_class": {"class": "cat", "recall": 0.5, "pictures": 8},
        "worst_slice": {"slice": "size", "value": "below 32", "gap": 0.12, "pictures": 9},
    },
    kilobytes=1200.0,
    milliseconds=4.0,
)


@pytest.mark.parametrize(
    ("metric", "difference", "interval", "released", "words"),
    [
        ("accuracy", 0.03, (0.01, 0.05), True, "significantly better than"),
        ("accuracy", 0.0, (-0.02, 0.02), True, "not significantly worse than"),
        ("accuracy", -0.01, (-0.03, 0.01), True, "not significantly worse than"),
        ("accuracy", -0.03, (-0.05, -0.01), False, "significantly worse than"),
        ("log_loss", 0.03, (0.01, 0.05), False, "significantly worse than"),
        ("log_loss", -0.03, (-0.05, -0.01), True, "significantly better than"),
        ("f1_macro", 0.0, (0.0, 0.0), True, "not significantly worse than"),
    ],
)
def test_a_model_that_loses_nothing_significant_takes_the_place(
    metric: str, difference: float, interval: tuple[float, float], released: bool, words: str
) -> None:
    found = Comparison(metric, 100, difference, interval)
    verdict = judge(MODEL, CHAMPION, [MET], found)
    low, high = interval
    assert verdict.released == released and not verdict.manual
    assert verdict.reasons == [
        f"validation {metric} is {words} the champion's: {difference:+.4f} ({low:+.4f} to {high:+.4f}) "
        "on the same 100 pictures"
    ]
    assert [row.name for row in verdict.criteria] == ["accuracy", "champion"]
    assert (verdict.criteria[1].found, verdict.criteria[1].met) == (difference, released)
    assert judge(MODEL, CHAMPION, [], replace(found, measured=True)).reasons[0].endswith("was run anew")


@pytest.mark.parametrize(
    ("model", "champion", "criteria", "expected"),
    [
        (MODEL, None, [MET], (True, False, "it is the first")),
        (MODEL, None, [MET, UNMET], (False, False, UNMET.reason)),
        (MODEL, CHAMPION, [UNMET], (False, False, UNMET.reason)),
        (CHAMPION, CHAMPION, [MET], (True, False, "it is the champion already")),
        (CHAMPION, CHAMPION, [UNMET], (True, False, "it is the champion already")),
        (replace(MODEL, network="network"), CHAMPION, [MET], (True, False, "other serving code")),
        (replace(MODEL, network="network"), CHAMPION, [UNMET], (False, False, UNMET.reason)),
        (replace(MODEL, classes=["cat", "cow"]), CHAMPION, [], (False, True, "other classes (cat, dog)")),
        (replace(MODEL, classes=["cat", "cow"]), CHAMPION, [UNMET], (False, False, UNMET.reason)),
        (MODEL, Candidate(), [], (False, True, "other classes (not recorded)")),
        (replace(MODEL, rolled_back=True), None, [], (False, True, "has been rolled back")),
        (replace(MODEL, debug=True), None, [MET], (False, False, "a debug run")),
        (replace(CHAMPION, debug=True), CHAMPION, [], (False, False, "a debug run")),
    ],
)
def test_what_does_not_depend_on_the_same_pictures(
    model: Candidate, champion: Candidate | None, criteria: list[Criterion], expected: tuple[bool, bool, str]
) -> None:
    verdict = judge(model, champion, criteria)
    assert (verdict.released, verdict.manual) == expected[:2] and expected[2] in verdict.reasons[0]
    assert verdict.criteria == criteria


def test_a_comparison_that_failed_is_left_to_a_person() -> None:
    verdict = judge(MODEL, CHAMPION, [MET], Comparison("accuracy", problem="it cannot be loaded"))
    assert not verdict.released and verdict.manual
    assert verdict.reasons == ["it cannot be compared with the champion: it cannot be loaded"]


@given(
    st.booleans(),
    st.sampled_from([None, CHAMPION, MODEL, Candidate()]),
    st.lists(st.sampled_from([MET, UNMET]), max_size=3),
    st.floats(-1, 1),
    st.floats(0, 1),
)
def test_nothing_unmet_is_released_over_another(
    debug: bool, champion: Candidate | None, criteria: list[Criterion], difference: float, width: float
) -> None:
    model = replace(MODEL, debug=debug)
    found = Comparison("accuracy", 100, difference, (difference - width, difference + width))
    verdict = judge(model, champion, criteria, found)
    already = champion == MODEL and not debug
    if not already:
        assert verdict.released <= (all(row.met for row in verdict.criteria) and not debug)
    assert verdict.reasons and not (verdict.released and verdict.manual)
    if settled(model, champion, criteria) is None:
        assert verdict.released == (difference + width >= 0)
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize(
    ("changes", "name", "found", "met", "reason"),
    [
        ({"minimum": {"accuracy": 0.9}}, "accuracy", 0.9, True, ""),
        ({"minimum": {"accuracy": 0.95}}, "accuracy", 0.9, False, "validation accuracy 0.9 is below 0.95"),
        ({"minimum": {"log_loss": 0.3}}, "log_loss", 0.3, True, ""),
        ({"minimum": {"log_loss": 0.2}}, "log_loss", 0.3, False, "validation log_loss 0.3 is above 0.2"),
        ({"minimum": {"roc_auc": 0.5}}, "roc_auc", None, False, "validation roc_auc is not defined"),
        ({"minimum": {"top_3_accuracy": 0.5}}, "top_3_accuracy", None, False, "top_3_accuracy is not defined"),
        ({"minimum_low": {"accuracy": 0.86}}, "accuracy_low", 0.86, True, ""),
        ({"minimum_low": {"accuracy": 0.9}}, "accuracy_low", 0.86, False, "the lower end of the 95 % interval"),
        ({"minimum_low": {"roc_auc": 0.9}}, "roc_auc_low", None, False, "is not defined"),
        ({"class_recall": 0.5}, "class_recall", 0.5, True, ""),
        ({"class_recall": 0.6}, "class_recall", 0.5, False, "validation recall of cat 0.5 is below 0.6"),
        ({"calibration_error": 0.03}, "calibration_error", 0.04, False, "calibration error 0.04 is above 0.03"),
        ({"slice_gap": 0.1}, "slice_gap", 0.12, False, "of the slice size below 32 in validation accuracy 0.12"),
        ({"latency": 5.0}, "latency", 4.0, True, ""),
        ({"latency": 3.0}, "latency", 4.0, False, "one picture takes more than 3 ms on this machine"),
        ({"kilobytes": 1000.0}, "kilobytes", 1200.0, False, "the size of the network 1200 is above 1000"),
    ],
)
def test_a_criterion_says_what_was_found(
    changes: dict[str, Any], name: str, found: float | None, met: bool, reason: str
) -> None:
    (row,) = examine(MEASURED, Gate(**OFF | changes))
    assert (row.name, row.found, row.met) == (name, found, met)
    assert reason in row.reason and bool(reason) == bool(row.reason)


def test_the_upper_end_of_a_loss_counts() -> None:
    measured = replace(MEASURED, scores={"log_loss": 0.3, "interval": {"log_loss": [0.2, 0.45]}})
    (row,) = examine(measured, Gate(**OFF | {"minimum_low": {"log_loss": 0.4}}))
    assert (row.name, row.wanted, row.found, row.met) == ("log_loss_high", "at most 0.4", 0.45, False)


def test_without_a_worse_slice_there_is_no_gap_and_without_measurement_no_pass() -> None:
    gate = Gate(**OFF | {"slice_gap": 0.1, "class_recall": 0.1})
    fine = replace(MEASURED, details={**MEASURED.details, "worst_slice": None})
    assert [row.found for row in examine(fine, gate)] == [0.5, 0.0]
    assert [row.met for row in examine(replace(MEASURED, details={}), gate)] == [False, False]
    assert examine(MEASURED, Gate(**OFF)) == []


def test_facts_of_other_versions_of_the_code_can_be_read() -> None:
    assert Candidate.from_json(CHAMPION.to_json()) == CHAMPION
    newer = {**json.loads(CHAMPION.to_json()), "schema": 9, "latency": 3}
    assert Candidate.from_json(json.dumps(newer)) == CHAMPION
    assert Candidate.from_json('{"content": "c"}') == Candidate(content="c")
    assert Verdict.from_json('{"released": true, "reasons": ["it is the first"]}') == Verdict(True, ["it is the first"])
