"""The report of a search and the table of its trials."""

import json
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.files import read_value, rounded, write_value
from darkroom.params.search import Tune
from darkroom.tune.choice import Found, choose
from darkroom.tune.report import obstacle, summarise, trial_table
from darkroom.tune.trial import Drawn, FreshRun, Trial
from easy import small_params

SPACE: dict[str, Any] = {
    "train": {"momentum": {"low": 0.5, "high": 0.9}, "batch_size": {"low": 8, "high": 32}},
    "model": {"filters": {"choices": [[4], [4, 8]]}},
}
ROW = {"validation_log_loss": 0.5}


def tune(**changes: Any) -> Tune:
    return small_params(tune={"enabled": True, "metric": "accuracy", "space": SPACE, **changes}).tune


def found(**changes: Any) -> Found:
    """Return a search of four trials, one of each state; the complete ones have been trained again."""
    trials = [
        Trial(
            Drawn(2, {"model": {"filters": [4, 8]}}), "pruned", curve=[ROW], seconds=0.51, reason="behind at epoch 1"
        ),
        Trial(
            Drawn(0, {"train": {"batch_size": 8}, "model": {"filters": [4]}}),
            "complete",
            {"accuracy": 0.8, "parameters": 90},
            [ROW] * 3,
            3.26,
        ),
        Trial(Drawn(1, {"train": {"momentum": 0.5}}), "complete", {"accuracy": 0.9, "parameters": 70}, [ROW] * 3, 2.0),
        Trial(Drawn(3, {}), "refused", reason="the map is shrunk to nothing"),
    ]
    runs = [
        FreshRun(number, seed, {"accuracy": score}, 1.0)
        for number, seed, score in [(0, 5, 0.7), (0, 6, 0.8), (1, 5, 0.84), (1, 6, 0.88)]
    ]
    runs, settings = runs[: changes.pop("runs", 4)], tune(**changes)
    return Found(trials, runs, choose(trials, runs, settings), settings, True)


def test_the_report_has_both_scores() -> None:
    report = summarise(found(), tune())
    assert report == {
        "enabled": True,
        "trials": 4,
        "pruned": 1,
        "failed": 0,
        "refused": 1,
        "best": {"train": {"momentum": 0.5}},
        "chosen": 1,
        "metric": "accuracy",
        "search_score": 0.9,
        "fresh_score": pytest.approx(0.86),
        "fresh_deviation": pytest.approx(0.02 * 2**0.5),
        "fresh_scores": {"0": 0.75, "1": pytest.approx(0.86)},
        "costs": [],
        "tolerance": 0.01,
        "front": [],
        "sampler": "tpe",
        "pruner": "none",
        "repeatable": True,
        "note": "",
    }
    assert json.loads(json.dumps(rounded(report)))["fresh_score"] == 0.86


def test_without_finalists_it_says_that_the_score_is_flattered() -> None:
    report = summarise(found(runs=0), tune())
    assert (report["search_score"], report["fresh_score"], report["fresh_deviation"]) == (0.9, None, None)
    assert report["note"].startswith("The score is the best of many, and so flattered")


def test_with_costs_it_has_the_front() -> None:
    settings = tune(costs=["parameters"])
    assert summarise(found(costs=["parameters"], runs=0), settings)["front"] == [1]


def test_off_it_is_short() -> None:
    counts = {"trials": 0, "pruned": 0, "failed": 0, "refused": 0}
    assert summarise(None, tune()) == {
        "enabled": False,
        **counts,
        "best": {},
        "search_score": None,
        "fresh_score": None,
    }


def test_the_table_has_a_row_for_each_trial(tmp_path: Path) -> None:
    write_value(tmp_path / "trials.csv", trial_table(found(), tune(costs=["parameters"])), ".csv")
    assert (tmp_path / "trials.csv").read_text().splitlines() == [
        "number,state,accuracy,parameters,epochs,seconds,model.filters,train.batch_size,train.momentum,fresh,reason",
        "0,complete,0.8,90,3,3.3,[4],8,,0.75,",
        "1,complete,0.9,70,3,2,,,0.5,0.86,",
        '2,pruned,,,1,0.5,"[4, 8]",,,,behind at epoch 1',
        "3,refused,,,0,0,,,,,the map is shrunk to nothing",
    ]


def test_the_table_of_no_search_has_a_header(tmp_path: Path) -> None:
    write_value(tmp_path / "trials.csv", trial_table(None, tune()), ".csv")
    table = read_value(tmp_path / "trials.csv")
    assert len(table) == 0 and list(table)[:3] == ["number", "state", "accuracy"]


@pytest.mark.parametrize(
    ("changes", "workers", "reason"),
    [
        ({}, 4, ""),
        ({"batch": 0}, 1, ""),
        ({"batch": 0}, 2, "tune.batch is 0 and 2 trials"),
        ({"minutes": 5.0}, 1, "its time is limited"),
        ({"costs": ["parameters", "latency"]}, 1, "latency is measured"),
    ],
)
def test_it_says_why_a_search_does_not_repeat(changes: dict[str, Any], workers: int, reason: str) -> None:
    text = obstacle(tune(**changes), workers)
    assert reason in text and bool(text) == bool(reason)
