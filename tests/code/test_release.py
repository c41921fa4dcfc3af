"""What the gate is told of a finished pipeline, and what the user is told of its verdict."""

from pathlib import Path
from typing import Any, cast

import pytest
from mlflow import MlflowClient

from darkroom.gate.by_hand import promote_version
from darkroom.gate.verdict import Criterion, Verdict
from darkroom.gate.versions import git_commit
from darkroom.package import release as stage
from darkroom.package.contender import ReleaseInputs, readable
from darkroom.package.registry import CONTENT_TAG
from darkroom.package.release import Release, describe, summarise
from darkroom.package.texts import refusal, terminal_summary
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import with_overlay
from defaults import default_params
from registry import add_version, contender, release

SCORES = {"accuracy": 0.9, "f1_macro": 0.8, "pictures": 10}
REPORTS: dict[str, dict[str, Any]] = {
    "split": {"digest": "all", "validation_digest": "validation"},
    "train": {"digest": "network", "classes": ["a", "b"]},
    "evaluate": {"train": SCORES, "validation": SCORES, "test": SCORES},
}


def params(**changes: dict[str, Any]) -> DeclaredParams:
    changed = with_overlay(default_params(), changes, "test")
    return DeclaredParams(changed, list(changed.model_dump()), "package")


def test_scores_over_folds_are_of_other_pictures_than_those_of_one_fold() -> None:
    single = describe(params(), REPORTS, "content")
    folds = describe(params(split={"folds": 2}, ensemble={"folds": True}), REPORTS, "content")
    assert (single.content, single.network, single.classes, single.data) == (
        "content",
        "network",
        ["a", "b"],
        "validation",
    )
    assert single.scores == {"validation": SCORES, "test": SCORES}
    assert folds.data != single.data


@pytest.mark.parametrize("debug", [{"mode": "step"}, {"mode": "overfit"}, {"fraction": 0.5}])
def test_a_debug_run_is_known_as_one(debug: dict[str, Any]) -> None:
    assert describe(params(debug=debug), REPORTS, "content").debug
    assert not describe(params(), REPORTS, "content").debug


def test_the_summary_says_how_to_promote_what_only_a_person_can_judge() -> None:
    manual = Release("2", "1", Verdict(False, ["the champion has other classes (a)"], manual=True), "run")
    lines = terminal_summary(REPORTS, manual, "pets").splitlines()
    assert "model           pets version 2 is registered, not released: the champion has other classes (a)" in lines[2]
    assert "  confirm it      `darkroom promote 2`" in lines
    assert "  test accuracy   90.00% of 10 pictures" in lines[1]
    worse = Release("2", "1", Verdict(False, ["not better"]), "run")
    assert "confirm" not in terminal_summary(REPORTS, worse, "pets")


def test_the_summary_says_how_sure_the_accuracy_is() -> None:
    first = Release("1", "1", Verdict(True, ["it is the first"]), "run")
    measured = {"test": {**SCORES, "interval": {"accuracy": [0.8123, 0.95]}}}
    assert "90.00% (81.2% to 95.0%) of 10 pictures" in terminal_summary({"evaluate": measured}, first, "pets")


@pytest.mark.parametrize(("released", "expected"), [(True, "champion: why; more"), (False, "not released: why; more")])
def test_a_verdict_can_be_read(released: bool, expected: str) -> None:
    assert readable(Verdict(released, ["why", "more"])) == expected


def test_a_waiting_model_is_released_once_a_person_has_promoted_it(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage, which had failed by `on_reject`, finds the new champion when it runs again."""
    client.create_registered_model("darkroom")
    release(client, "darkroom", *add_version(client, "darkroom", 0.8))
    number, candidate = add_version(client, "darkroom", 0.9, classes=["a", "b"])
    client.set_model_version_tag("darkroom", number, CONTENT_TAG, candidate.content)
    run_id = client.create_run(client.create_experiment("on_reject", tmp_path.as_uri())).info.run_id
    monkeypatch.setattr(stage, "contender", lambda *_: contender(client, "darkroom", number, candidate))

    def again() -> Release:
        return stage._release_run(client, client.get_run(run_id), params(), candidate, cast("ReleaseInputs", None))

    first = again()
    assert first.verdict.manual and first == again()
    promote_version(client, "darkroom", number)
    second = again()
    assert second.verdict.released and (second.version, second.champion) == ("2", "2")
    assert second == again()


def test_the_report_has_the_criteria_without_times() -> None:
    rows = [Criterion("accuracy", "at least 0.8", 0.9, True), Criterion("latency", "at most 5", 4.2, True)]
    report = summarise(Release("1", "1", Verdict(True, ["it is the first"], False, rows), "run"), params(), "content")
    assert report["criteria"] == [
        {"name": "accuracy", "wanted": "at least 0.8", "found": 0.9, "met": True},
        {"name": "latency", "wanted": "at most 5", "found": None, "met": True},
    ]


@pytest.mark.parametrize(
    ("released", "on_reject", "fails"), [(False, "fail", True), (False, "continue", False), (True, "fail", False)]
)
def test_a_rejected_model_fails_the_stage_where_that_is_wished(released: bool, on_reject: str, fails: bool) -> None:
    package = params().package.model_copy(update={"name": "pets", "on_reject": on_reject})
    line = refusal(Release("2", "1", Verdict(released, ["why", "more"]), "run"), package)
    assert line.startswith("pets version 2 is not released: why; more; ") if fails else not line


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_commit()
    monkeypatch.setenv("PATH", "")
    assert git_commit() == ""
