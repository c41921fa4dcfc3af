"""What has moved since the data was accepted."""

from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.params.data import Drift
from darkroom.validate.drift import Profile, find_drift, profile_of, read_accepted
from pictures import manifest_of

LIMITS = Drift(share=0.05, size=1.25, brightness=0.05)
BEFORE = Profile(pictures=100, classes={"cat": 0.6, "dog": 0.4}, side=64.0, brightness=0.5)


def drift(**changes: object) -> list[str]:
    return find_drift(BEFORE.model_copy(update=changes), BEFORE, LIMITS)


def test_a_profile_is_of_the_readable_pictures() -> None:
    rows: list[dict[str, Any]] = [
        {"label": "a", "width": 10, "height": 40, "brightness": 0.25},
        {"label": "a", "width": 40, "height": 40, "brightness": 0.75},
        {"label": "b", "width": 30, "height": 30},
        {"label": "c", "width": None, "height": None, "error": "is empty"},
    ]
    expected = {"pictures": 3, "classes": {"a": 0.666667, "b": 0.333333}, "side": 30.0, "brightness": 0.5}
    assert profile_of(manifest_of(rows)).model_dump() == expected


def test_data_without_measures_has_no_brightness_and_does_not_drift_in_it() -> None:
    now = profile_of(manifest_of([{"label": "a"}]))
    assert now.brightness is None
    assert find_drift(now, now.model_copy(update={"brightness": 0.9}), LIMITS) == []


def test_what_stays_within_the_limits_says_nothing() -> None:
    assert drift(pictures=9000, classes={"cat": 0.65, "dog": 0.35}, side=80.0, brightness=0.45) == []


def test_what_moves_further_is_said_with_both_values() -> None:
    assert drift(classes={"cat": 0.66, "dog": 0.34}) == [
        "class cat: 66.00% of the pictures, accepted 60.00%",
        "class dog: 34.00% of the pictures, accepted 40.00%",
    ]
    assert drift(side=51.0) == ["typical side: 51 pixels, accepted 64"]
    assert drift(side=80.1) == ["typical side: 80.1 pixels, accepted 64"]
    assert drift(brightness=0.56) == ["mean brightness: 0.56, accepted 0.5"]


def test_classes_that_are_new_or_gone_are_said_however_small() -> None:
    assert drift(classes={"cat": 0.6, "emu": 0.01, "dog": 0.39}) == ["new classes: emu"]
    assert drift(classes={"cat": 0.62}) == ["missing classes: dog"]


def test_many_classes_are_counted() -> None:
    now = {f"c{number:02}": 1 / 40 for number in range(40)}
    lines = find_drift(
        BEFORE.model_copy(update={"classes": now}),
        BEFORE.model_copy(update={"classes": dict.fromkeys(now, 0.2)}),
        LIMITS,
    )
    assert len(lines) == 11 and lines[-1] == "and 30 more classes with a changed share"


def test_nothing_accepted_is_no_profile(tmp_path: Path) -> None:
    (tmp_path / "accepted.json").write_text("{}")
    assert read_accepted(tmp_path / "accepted.json") is None
    (tmp_path / "accepted.json").write_text(BEFORE.model_dump_json())
    assert read_accepted(tmp_path / "accepted.json") == BEFORE


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '{"pictures": 3}', '{"\\ud800": 1}', "[" * 100_000])
def test_a_broken_file_is_one_line(tmp_path: Path, text: Any) -> None:
    (tmp_path / "accepted.json").write_text(text)
    with pytest.raises(UserError, match=r"^data/accepted.json: not a profile of accepted data; .*darkroom accept`$"):
        read_accepted(tmp_path / "accepted.json")
