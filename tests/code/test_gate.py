from dataclasses import replace

import pytest

from darkroom.package.gate import Candidate, judge
from darkroom.params.schema import Package

CHAMPION = Candidate(
    content="content",
    network="network",
    classes=["cat", "dog"],
    data="data",
    scores={"validation": {"accuracy": 0.9, "log_loss": 0.3}, "test": {"accuracy": 0.8, "log_loss": 0.4}},
)


def package(metric: str = "accuracy") -> Package:
    return Package(name="model", metric=metric)


def candidate(split: str = "validation", **scores: float | None) -> Candidate:
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
    verdict = judge(candidate(**{metric: value}), CHAMPION, package(metric))
    word = "better than" if released else "not better than"
    theirs = CHAMPION.scores["validation"][metric]
    assert verdict.released == released
    assert verdict.reasons == [f"validation {metric} {value:.4f} is {word} the champion's {theirs:.4f}"]


def test_the_test_split_decides_nothing() -> None:
    assert not judge(candidate("test", accuracy=0.95), CHAMPION, package()).released


def test_numbers_of_different_pictures_are_said_to_be() -> None:
    verdict = judge(replace(candidate(accuracy=0.95), data="other"), CHAMPION, package())
    assert verdict.released and "different pictures" in verdict.reasons[1]


def test_the_first_is_released() -> None:
    assert judge(candidate(accuracy=0.0), None, package()).released


def test_the_same_content_stays_champion() -> None:
    assert judge(CHAMPION, CHAMPION, package()).reasons == ["it is the champion already"]


def test_other_classes_cannot_be_compared() -> None:
    verdict = judge(replace(candidate(accuracy=0.1), classes=["cat", "cow"]), CHAMPION, package())
    assert verdict.released and "cat, dog" in verdict.reasons[0]


def test_newer_code_around_the_same_network_is_released() -> None:
    verdict = judge(replace(CHAMPION, content="newer"), CHAMPION, package())
    assert verdict.released and "other serving code" in verdict.reasons[0]


def test_a_number_that_is_not_defined_releases_nothing() -> None:
    verdict = judge(candidate(accuracy=None), CHAMPION, package())
    assert not verdict.released and verdict.reasons == ["validation accuracy is not defined for both"]
