"""What the gate is told of a finished pipeline, and what the user is told of its verdict."""

import shlex
from typing import Any

import pytest

from darkroom.package.gate import Verdict
from darkroom.package.release import Release, describe, readable
from darkroom.package.texts import terminal_summary
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import load_params, with_overlay
from pictures import ROOT

SCORES = {"accuracy": 0.9, "f1_macro": 0.8, "pictures": 10}
REPORTS: dict[str, dict[str, Any]] = {
    "split": {"digest": "all", "validation_digest": "validation"},
    "train": {"digest": "network", "classes": ["a", "b"]},
    "evaluate": {"train": SCORES, "validation": SCORES, "test": SCORES},
}


def params(**changes: dict[str, Any]) -> DeclaredParams:
    changed = with_overlay(load_params(ROOT / "params.yaml"), changes, "test")
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
    (promote,) = [line for line in lines if line.startswith("  promote  ")]
    command, _, code = shlex.split(promote)[1:]
    assert command == "python" and "set_registered_model_alias('pets', 'champion', 2)" in code
    assert "  test accuracy   90.00% of 10 pictures" in lines[1]
    worse = Release("2", "1", Verdict(False, ["not better"]), "run")
    assert "promote" not in terminal_summary(REPORTS, worse, "pets")


def test_the_summary_says_how_sure_the_accuracy_is() -> None:
    first = Release("1", "1", Verdict(True, ["it is the first"]), "run")
    measured = {"test": {**SCORES, "interval": {"accuracy": [0.8123, 0.95]}}}
    assert "90.00% (81.2% to 95.0%) of 10 pictures" in terminal_summary({"evaluate": measured}, first, "pets")


@pytest.mark.parametrize(("released", "expected"), [(True, "champion: why; more"), (False, "not released: why; more")])
def test_a_verdict_can_be_read(released: bool, expected: str) -> None:
    assert readable(Verdict(released, ["why", "more"])) == expected
