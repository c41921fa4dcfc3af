"""The traffic beside the pictures on which the model was validated."""

from pathlib import Path
from sqlite3 import DatabaseError
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import wasserstein_distance

from darkroom.core.errors import UserError
from darkroom.decision.reference import FACTS, NUMBERS, directions, read_reference, write_reference
from darkroom.params.serving import Watch
from darkroom.traffic.log import TrafficLog
from darkroom.traffic.record import Record
from darkroom.watch.command import watch_model
from darkroom.watch.distances import kernel_discrepancy, stability_index, wasserstein
from darkroom.watch.drift import Check, find_drift
from darkroom.watch.report import lines, write_page
from darkroom.watch.watching import Watched, compare

PARAMS = Watch(pictures=200, false_alarms=0.02, seed=0)


def pictures(count: int, seed: int, brighter: float = 0.0, **changed: Any) -> pd.DataFrame:
    """Return facts, answers and features as of real pictures, all of one size."""
    chance = np.random.default_rng(seed)
    table = pd.DataFrame({"width": np.float32(32), "height": np.float32(32)}, index=range(count))
    table["brightness"] = chance.normal(0.5, 0.12, count).astype(np.float32) + np.float32(brighter)
    table["sharpness"] = chance.lognormal(5, 1, count).astype(np.float32)
    table["predicted"], table["score"] = chance.choice(list("abc"), count), chance.beta(8, 1, count)
    table["features"] = list(directions(chance.normal(size=(count, 8))).astype(np.float16))
    return table.assign(**changed)


def drifted(traffic: pd.DataFrame, **options: Any) -> list[str]:
    found = find_drift(pictures(400, 0), traffic, options.get("false_alarms", 0.01), 0)
    return [check.name for check in found if check.drifted]


def division(first: int, rest: int) -> np.ndarray:
    return np.array([[True] * first + [False] * rest])


def test_the_distances_are_those_of_their_definitions() -> None:
    chance = np.random.default_rng(0)
    values = chance.normal(size=90).round(1)
    assert wasserstein(values, division(30, 60))[0] == pytest.approx(wasserstein_distance(values[:30], values[30:]))
    codes = np.array([0] * 10 + [1] * 20 + [0] * 30 + [1] * 30)
    now, before = np.array([10.5, 20.5]) / 31, np.array([30.5, 30.5]) / 61
    expected = ((now - before) * np.log(now / before)).sum()
    assert stability_index(codes, division(30, 60))[0] == pytest.approx(expected)
    points = np.array([[0.0], [1.0], [0.0], [1.0]])
    assert kernel_discrepancy(points, division(2, 2))[0] == pytest.approx(0, abs=1e-3)
    apart = kernel_discrepancy(np.array([[0.0], [0.0], [1.0], [1.0]]), division(2, 2))[0]
    assert apart == pytest.approx(np.sqrt(2 - 2 * np.exp(-1 / 0.5)), rel=1e-3)


def test_the_same_kind_of_pictures_is_no_drift_and_each_kind_of_drift_is_named() -> None:
    assert drifted(pictures(200, 2)) == []
    assert drifted(pictures(200, 2, brighter=0.1)) == ["brightness"]
    assert "classes" in drifted(pictures(200, 2, predicted="a"))
    assert "confidence" in drifted(pictures(200, 2, score=0.4))
    moved = [row + np.float16(0.5) for row in pictures(200, 2)["features"]]
    assert drifted(pictures(200, 2).assign(features=moved)) == ["features"]


def test_a_single_odd_picture_is_no_drift_and_another_size_is() -> None:
    one = pictures(200, 2)
    one.loc[0, "width"] = 4000
    assert drifted(one) == []
    assert drifted(pictures(200, 2, width=4000.0)) == ["width"]


def test_the_rarest_alarm_that_may_be_asked_for_finds_drift() -> None:
    assert drifted(pictures(60, 2, brighter=0.3), false_alarms=0.002) == ["brightness"]


def test_alarms_without_drift_are_as_frequent_as_asked() -> None:
    everything, chance, alarms = pictures(4000, 2), np.random.default_rng(0), 0
    for _ in range(60):
        rows = chance.permutation(len(everything))[:120]
        found = find_drift(everything.iloc[rows[60:]], everything.iloc[rows[:60]], 0.2, 0)
        alarms += any(check.drifted for check in found)
    assert 4 <= alarms <= 21  # 12 are expected; the binomial distribution leaves these bounds once in 200 times


def test_many_features_are_projected_and_keep_their_angles(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(50, 600)) + np.repeat(np.eye(2), 25, axis=0) @ np.ones((2, 600))
    table = pictures(50, 0)
    table.loc[0, "sharpness"] = np.nan  # would make every threshold NaN
    write_reference(tmp_path, table, table["predicted"].to_numpy(), table["score"].to_numpy(), features)
    read = read_reference(tmp_path)
    features = features[1:]
    assert list(read) == [*FACTS, "predicted", "score", "features"]
    known, projected = features / np.linalg.norm(features, axis=1, keepdims=True), np.stack(read["features"].to_list())
    assert projected.shape == (49, NUMBERS)
    assert np.abs(projected @ projected.T - known @ known.T).mean() < 0.15
    assert directions(features[:, :8]).shape == (49, 8)


def records(table: pd.DataFrame, version: str = "1", **changed: Any) -> list[Record]:
    """Return the table as answers in the log."""
    found = []
    for number, row in enumerate(table.itertuples(index=False)):
        known: dict[str, Any] = {name: getattr(row, name) for name in (*FACTS, "features")}
        known |= {"label": row.predicted, "score": row.score, "probabilities": {}, "abstains": False}
        common: dict[str, Any] = {
            "request": f"{version}-{number}",
            "time": 1.8e9 + number,
            "version": version,
            "role": "champion",
        }
        found.append(Record(**common, **known, unfamiliar=False, error=None, milliseconds=number / 10, **changed))
    return found


def failed(version: str) -> Record:
    nothing: dict[str, Any] = dict.fromkeys(("label", "score", "abstains", "unfamiliar", *FACTS))
    return Record("bad", 1.8e9, version, "champion", probabilities={}, error="is empty", milliseconds=1.0, **nothing)


def test_the_answers_of_the_version_are_taken_from_the_log(tmp_path: Path) -> None:
    reference, log = pictures(400, 0), TrafficLog(f"sqlite:///{tmp_path / 'traffic.db'}", 1000)
    nothing = compare(reference, "1", log, PARAMS)
    assert not nothing.drifted and lines(nothing)[0] == "version 1: no requests in the log of traffic"
    log.add([*records(pictures(30, 1)), failed("1"), *records(pictures(100, 2, brighter=0.3), "2")])
    few = compare(reference, "1", log, PARAMS)
    assert few.requests is not None and few.requests.count == 31 and few.requests.errors == pytest.approx(1 / 31)
    assert not few.drifted and lines(few)[1] == "too few answers to compare: 30 of at least 50"
    write_page(tmp_path / "few.html", few)
    assert "Too few answers to compare" in (tmp_path / "few.html").read_text()
    log.add(records(pictures(300, 3), "3"))
    second = compare(reference, "2", log, PARAMS)
    assert [check.name for check in second.checks if check.drifted] == ["brightness"]
    assert lines(second)[-1] == "100 answers beside 400 reference pictures: drift in brightness"
    write_page(tmp_path / "drift.html", second)
    page = (tmp_path / "drift.html").read_text()
    assert page.count('<span class="state warning">') == 1 and "Drift in brightness." in page


def test_without_features_in_the_log_the_other_checks_stay(tmp_path: Path) -> None:
    log = TrafficLog(f"sqlite:///{tmp_path / 'traffic.db'}", 1000)
    log.add(records(pictures(60, 1).assign(features=None)))
    found = compare(pictures(400, 0), "1", log, PARAMS)
    assert [check.name for check in found.checks] == ["classes", "confidence", *FACTS]
    assert isinstance(found.checks[0], Check) and not found.drifted


@pytest.mark.parametrize(
    "failure", [UserError("no store", 1), DatabaseError("file is not a database"), OSError("full"), KeyError("label")]
)
def test_a_failure_never_ends_with_the_status_of_drift(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> Watched:
        raise failure

    monkeypatch.setattr("darkroom.watch.command.watch_traffic", fail)
    with pytest.raises(UserError) as caught:
        watch_model("champion")
    assert caught.value.status == 2 and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("brighter", "status"), [(0.0, 0), (0.3, 1)])
def test_the_exit_status_says_drift_and_a_page_that_cannot_be_written_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brighter: float, status: int
) -> None:
    log = TrafficLog(f"sqlite:///{tmp_path / 'traffic.db'}", 1000)
    log.add(records(pictures(100, 1, brighter=brighter)))
    found = compare(pictures(400, 0), "1", log, PARAMS)
    monkeypatch.setattr("darkroom.watch.command.watch_traffic", lambda _: found)
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert watch_model("champion") == status
    (tmp_path / "reports/watch.html").unlink()
    (tmp_path / "reports/watch.html/in the way").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be watched") as caught:
        watch_model("champion")
    assert caught.value.status == 2


@pytest.mark.parametrize("wrong", [{"false_alarms": 0.0001}, {"pictures": 49}, {"pictures": 2001}])
def test_settings_with_which_nothing_could_be_found_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Watch(**{"pictures": 200, "false_alarms": 0.02, "seed": 0} | wrong)
