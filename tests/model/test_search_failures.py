"""Trials of a search that give no model: the training fails, or its parameters are refused before."""

import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cheap_search import failing, noting, run, told, train_cheaply, whole
from darkroom.core.errors import UserError
from darkroom.examples.metrics import Diverged
from darkroom.execution.processes import Died, Killed
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Failed
from darkroom.train.measuring import Measured

LOGGED = "darkroom.tune.search"


def test_a_training_that_dies_once_is_tried_again(tmp_path: Path) -> None:
    assert told(run(tmp_path, failing(Killed("a process was killed"), 3))[0]) == told(whole())


@pytest.mark.parametrize(
    ("error", "calls", "reason"),
    [
        (Killed("a process was killed"), (2, 3), "killed twice; it probably ran out of memory"),
        (Died("a process ended with status -6"), (2, 3), "a process ended with status -6, twice"),
        (Failed("ResourceExhaustedError: OOM"), (2,), "ResourceExhaustedError: OOM"),
        (Diverged("the network diverged"), (2,), "the network diverged"),
    ],
)
def test_a_training_without_a_model_has_failed_and_the_search_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, calls: Any, reason: str
) -> None:
    caplog.set_level(logging.INFO)
    trials, tried = run(tmp_path, failing(error, *calls))
    assert [trial.state for trial in trials] == ["complete"] * 2 + ["failed"] + ["complete"] * 5
    assert trials[2].reason == reason and trials[2].scores == {} and trials[2].drawn == whole()[2].drawn
    assert (LOGGED, logging.WARNING, f"trial 2 (3 of 8) failed: {reason}") in caplog.record_tuples
    assert run(tmp_path) == (trials, []) and tried == list(range(8))  # kept


def test_a_score_that_is_not_a_number_has_failed(tmp_path: Path) -> None:
    calls: list[int] = []

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        calls.append(len(calls))
        measured = train_cheaply(candidate, on_epoch, gpu, checkpoint)
        return replace(measured, scores={"validation": {"log_loss": math.nan}}) if calls[-1] else measured

    trials, _ = run(tmp_path, train, trials=3)
    assert [(trial.state, trial.reason) for trial in trials[1:]] == [("failed", "log_loss is not a number")] * 2
    assert len(trials[1].curve) == 9 and trials[1].scores == {}


def test_a_search_in_which_every_trial_fails_is_a_mistake_and_starts_anew(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none of the 8 trials gave a model \(the first: OOM\)"):
        run(tmp_path, failing(Failed("OOM"), *range(8)))
    assert told(run(tmp_path)[0]) == told(whole())  # with more memory


IMPOSSIBLE = {"model": {"filters": {"choices": [[4], [4, 4, 4]]}, "pool": {"choices": [2, 3]}}}  # 8 pixels, thrice by 3


def test_a_combination_that_makes_no_network_is_refused_before_training(tmp_path: Path) -> None:
    trained: list[DeclaredParams] = []

    trials, _ = run(tmp_path, noting(trained), space=IMPOSSIBLE, sampler="random", trials=12)
    refused = [trial for trial in trials if trial.state == "refused"]
    assert refused and len(trials) == 12 + len(refused) and len(trained) == 12  # no trial of the budget is lost
    assert all(trial.drawn.overlay["model"] == {"filters": [4, 4, 4], "pool": 3} for trial in refused)
    assert all("8 is too small for" in trial.reason for trial in refused)


def test_what_only_the_network_shows_is_refused_too_unless_params_yaml_has_it(tmp_path: Path) -> None:
    mistake = UserError("finetune.layers = 'x': the backbone has no such layer")
    trials, _ = run(tmp_path / "drawn", failing(mistake, 2), trials=4)
    assert [trial.state for trial in trials] == ["complete", "complete", "refused", "complete", "complete"]
    assert trials[2].reason == str(mistake)
    with pytest.raises(UserError, match="no such layer"):
        run(tmp_path / "own", failing(mistake, 0))


def test_the_place_of_a_refused_trial_goes_to_the_next_one_of_its_batch(tmp_path: Path) -> None:
    trials, _ = run(tmp_path, failing(UserError("no such layer"), 3), batch=3, trials=4)
    assert [(trial.number, trial.state) for trial in trials[3:]] == [(3, "refused"), (4, "complete")]


def test_a_grid_ends(tmp_path: Path) -> None:
    trials, _ = run(tmp_path, space=IMPOSSIBLE, sampler="grid", batch=3, trials=100)
    drawn = [str(trial.drawn.overlay) for trial in trials]
    assert len(drawn) == len(set(drawn)) and [trial.state for trial in trials].count("refused") == 1


def test_draws_end_when_nearly_all_are_refused(tmp_path: Path) -> None:
    never = {"model": {"filters": {"choices": [[4, 4, 4]]}, "pool": {"choices": [3]}}}
    trials, tried = run(tmp_path, space=never, sampler="random", trials=2)
    assert [trial.state for trial in trials] == ["complete"] + ["refused"] * 19 and len(tried) == 20
