import json
from dataclasses import replace

import pytest

from darkroom.package.gate import Candidate, Verdict, judge

CHAMPION = Candidate(
    content="content",
    network="network",
    classes=["cat", "dog"],
    data="data",
    scores={"validation": {"accuracy": 0.9, "log_loss": 0.3}, "test": {"accuracy": 0.8, "log_loss": 0.4}},
)


def candidate(split: str = "validation", /, **scores: float | None) -> Candidate:
    changed = {**CHAMPION.scores, split: {**CHAMPION.scores[split], **scores}}
    return replace(CHAMPION, content="other", network="other", scores=changed)


@pytest.mark.parametrize(
    ("metric", "value", "released"),
    [
        ("accuracy", 0.91, True),
        ("accuracy", 0.9, False),
        ("accuracy", 0.89, False),
        ("log_loss", 0.29, True),
        ("log_loss", 0.3, False),
        ("log_loss", 0.31, False),
    ],
)
def test_only_a_better_model_takes_the_place(metric: str, value: float, released: bool) -> None:
    word = "better than" if released else "not better than"
    theirs = CHAMPION.scores["validation"][metric]
    reasons = [f"validation {metric} {value:.4f} is {word} the champion's {theirs:.4f}"]
    assert judge(candidate(**{metric: value}), CHAMPION, metric) == Verdict(released, reasons)


def test_the_test_split_decides_nothing() -> None:
    assert not judge(candidate("test", accuracy=0.95), CHAMPION, "accuracy").released


def test_the_first_is_released() -> None:
    assert judge(candidate(accuracy=0.0), None, "accuracy").released


def test_the_same_content_stays_champion() -> None:
    assert judge(CHAMPION, CHAMPION, "accuracy").reasons == ["it is the champion already"]


def test_newer_code_around_the_same_network_is_released() -> None:
    verdict = judge(replace(CHAMPION, content="newer", data="other"), CHAMPION, "accuracy")
    assert verdict.released and "other serving code" in verdict.reasons[0]


def test_a_debug_run_is_never_released() -> None:
    debug = replace(candidate(accuracy=1.0), debug=True)
    assert not judge(debug, None, "accuracy").released
    assert not judge(debug, CHAMPION, "accuracy").released


@pytest.mark.parametrize(
    ("model", "champion", "reason"),
    [
        (replace(candidate(accuracy=0.99), classes=["cat", "cow"]), CHAMPION, "other classes (cat, dog)"),
        (replace(candidate(accuracy=0.99), data="other"), CHAMPION, "validated on other pictures"),
        (candidate(accuracy=None), CHAMPION, "validation accuracy is not defined for both"),
        (candidate(accuracy=0.99), Candidate(), "has no recorded scores"),
    ],
)
def test_what_cannot_be_compared_is_left_to_a_person(model: Candidate, champion: Candidate, reason: str) -> None:
    verdict = judge(model, champion, "accuracy")
    assert not verdict.released and verdict.manual
    assert reason in verdict.reasons[0]


def test_facts_of_other_versions_of_the_code_can_be_read() -> None:
    assert Candidate.from_json(CHAMPION.to_json()) == CHAMPION
    newer = {**json.loads(CHAMPION.to_json()), "schema": 9, "latency": 3}
    assert Candidate.from_json(json.dumps(newer)) == CHAMPION
    assert Candidate.from_json('{"content": "c"}') == Candidate(content="c")
    assert Verdict.from_json('{"released": true, "reasons": ["it is the first"]}') == Verdict(True, ["it is the first"])
