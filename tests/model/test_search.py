"""The search with a real journal of Optuna and a cheap objective; the process is really killed."""

import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.examples.metrics import score_split
from darkroom.execution.logs import configure_logging
from darkroom.models.combine import combine
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.train.fit import fit
from darkroom.tune.search import search
from darkroom.tune.tuning import no_search, run_search, summarise
from easy import data, small_params
from pictures import ROOT

SPACE: dict[str, dict[str, dict[str, Any]]] = {
    "train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "batch_size": {"low": 8, "high": 32}},
    "model": {"dropout": {"low": 0.1, "high": 0.5, "step": 0.1}, "filters": {"choices": [[4], [4, 8], [2, 2, 2]]}},
}
COLUMNS = ["trial", "log_loss", "failure", "model.dropout", "model.filters", "train.batch_size", "train.learning_rate"]
ROUNDS = [1, 4, 7]  # while the sampler draws at random, at the last such trial, and when it has learnt


def params(**tune: Any) -> DeclaredParams:
    return small_params(tune={"space": SPACE, **tune})


def cost(candidate: DeclaredParams) -> float:
    train, model = candidate.train, candidate.model
    return (math.log10(train.learning_rate) + 2) ** 2 + model.dropout + 0.2 * len(model.filters) + train.batch_size / 64


def run(journal: Path, die_at: int = 0, **tune: Any) -> tuple[Overlay, pd.DataFrame, list[int]]:
    """Search; the process kills itself in the middle of trial `die_at`."""
    tried: list[int] = []

    def objective(candidate: DeclaredParams) -> float:
        if len(tried) + 1 == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return cost(candidate)

    best, trials = search(params(**tune), objective, journal, lambda number, _: tried.append(number))
    return best, trials, tried


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Overlay, pd.DataFrame]:
    return run(tmp_path_factory.mktemp("search") / "whole.journal")[:2]


def test_the_table_has_a_row_for_each_trial(whole: tuple[Overlay, pd.DataFrame]) -> None:
    best, trials = whole
    assert list(trials) == COLUMNS and trials["trial"].tolist() == list(range(1, 9))
    assert trials["model.filters"].map(tuple).nunique() > 1
    assert trials["train.learning_rate"].between(1e-4, 1e-1).all() and trials["model.dropout"].between(0.1, 0.5).all()
    assert all(isinstance(size, int) for size in trials["train.batch_size"])
    winner = trials.iloc[trials["log_loss"].argmin()]
    assert best["train"]["learning_rate"] == winner["train.learning_rate"]
    assert best["model"]["filters"] == winner["model.filters"] in SPACE["model"]["filters"]["choices"]


def test_the_best_fits_into_the_parameters(whole: tuple[Overlay, pd.DataFrame]) -> None:
    best = whole[0]
    overlaid = params().overlaid(best, "best.yaml")
    for section, values in best.items():
        assert {key: getattr(getattr(overlaid, section), key) for key in values} == values


def killed(journal: Path, die_at: int) -> None:
    """Search in a process that kills itself in the middle of its trial `die_at`."""
    code = f"from pathlib import Path; from test_search import run; run(Path({str(journal)!r}), {die_at})"
    folders = ":".join(str(ROOT / name) for name in ("src", "tests", "tests/model"))
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": folders})
    assert ended.returncode == -signal.SIGKILL


def write_as_killed(journal: Path, die_at: int) -> None:
    """Write what a kill in the middle of trial `die_at` leaves, without the seconds that a process takes to start."""
    searched, calls = journal.with_name("searched.journal"), list[int]()

    def objective(candidate: DeclaredParams) -> float:
        calls.append(len(calls) + 1)
        if calls[-1] == die_at:
            shutil.copy(searched, journal)
            raise KeyboardInterrupt
        return cost(candidate)

    with pytest.raises(KeyboardInterrupt):
        search(params(), objective, searched, lambda *_: None)


@pytest.mark.parametrize("die_at", ROUNDS)
def test_a_killed_search_resumes_to_the_same_result(
    whole: tuple[Overlay, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str], die_at: int
) -> None:
    configure_logging("tune")
    journal = tmp_path / "killed.journal"
    write_as_killed(journal, die_at)
    best, trials, tried = run(journal)
    assert tried == list(range(die_at, 9))  # only what was missing
    assert (f"tune: resumes after trial {die_at - 1}\n" in capsys.readouterr().err) == (die_at > 1)
    pd.testing.assert_frame_equal(trials, whole[1])
    assert best == whole[0]


def test_a_trial_in_which_the_process_is_killed_twice_has_failed(
    whole: tuple[Overlay, pd.DataFrame], tmp_path: Path
) -> None:
    journal = tmp_path / "killed.journal"
    killed(journal, 4)
    killed(journal, 1)  # in its first trial, the same combination again
    _, trials, tried = run(journal)
    assert tried == [5, 6, 7, 8]
    assert trials["failure"].notna().tolist() == [False] * 3 + [True] + [False] * 4
    assert trials["failure"][3] == "killed twice; it probably ran out of memory" and math.isnan(trials["log_loss"][3])
    pd.testing.assert_frame_equal(trials.drop(columns=["log_loss", "failure"])[:4], whole[1].iloc[:4, [0, 3, 4, 5, 6]])
    assert trials["train.learning_rate"].nunique() == 8
    pd.testing.assert_frame_equal(run(journal)[1], trials)


def raising(error: BaseException, *at: int) -> Any:
    """Return an objective that raises `error` in these of its calls, counted from 1."""
    calls: list[int] = []

    def objective(candidate: DeclaredParams) -> float:
        calls.append(len(calls) + 1)
        if calls[-1] in at:
            raise error
        return cost(candidate)

    return objective


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), UserError("weights are missing")])
def test_a_trial_that_was_stopped_is_tried_again_however_often(
    whole: tuple[Overlay, pd.DataFrame], tmp_path: Path, error: BaseException
) -> None:
    for call in (4, 1, 1):  # three times in trial 4
        with pytest.raises(type(error)):
            search(params(), raising(error, call), tmp_path / "journal", lambda *_: None)
    pd.testing.assert_frame_equal(run(tmp_path / "journal")[1], whole[1])


def out_of_memory() -> Exception:
    import tensorflow as tf

    text = "OOM when allocating tensor with shape[9]\nHint: none"
    error: Exception = tf.errors.ResourceExhaustedError(None, None, text)
    return error


def test_a_trial_that_runs_out_of_memory_has_failed_and_the_search_goes_on(
    whole: tuple[Overlay, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("tune")
    finished: list[int] = []
    found = search(
        params(), raising(out_of_memory(), 2), tmp_path / "journal", lambda number, _: finished.append(number)
    )
    reason = "ResourceExhaustedError: OOM when allocating tensor with shape[9]"
    assert finished == [1, 3, 4, 5, 6, 7, 8]
    assert found[1]["failure"].dropna().to_dict() == {1: reason} and math.isnan(found[1]["log_loss"][1])
    assert f"tune: warning: trial 2 of 8 failed: {reason}\n" in capsys.readouterr().err
    assert found[0]["train"]["learning_rate"] == found[1]["train.learning_rate"].iloc[found[1]["log_loss"].argmin()]
    assert found[1].iloc[:2, 3:].equals(whole[1].iloc[:2, 3:])  # the same combinations
    assert summarise(*found, params(enabled=True).tune)["failed"] == 1


def test_a_search_in_which_every_trial_fails_is_a_mistake_and_starts_anew(
    whole: tuple[Overlay, pd.DataFrame], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"none of the 8 trials gave a model \(the first: ResourceExhaustedError: OOM"):
        search(params(), raising(out_of_memory(), *range(1, 9)), tmp_path / "journal", lambda *_: None)
    pd.testing.assert_frame_equal(run(tmp_path / "journal")[1], whole[1])  # with more memory


def test_a_finished_search_is_not_run_again(tmp_path: Path) -> None:
    first, again = (run(tmp_path / "journal") for _ in range(2))
    assert again[2] == [] and again[1].equals(first[1])


def test_more_trials_resume_after_the_last_one(whole: tuple[Overlay, pd.DataFrame], tmp_path: Path) -> None:
    run(tmp_path / "journal", trials=5)
    _, trials, tried = run(tmp_path / "journal")
    assert tried == [6, 7, 8]
    pd.testing.assert_frame_equal(trials, whole[1])


def test_the_seed_decides(whole: tuple[Overlay, pd.DataFrame], tmp_path: Path) -> None:
    assert not run(tmp_path / "journal", seed=1)[1].equals(whole[1])


def test_a_combination_that_makes_no_network_is_the_worst(tmp_path: Path) -> None:
    space = {"model": {"filters": {"choices": [[4], [4, 4, 4]]}, "pool": {"choices": [2, 3]}}}  # 8 pixels, thrice by 3
    best, trials, _ = run(tmp_path / "search.journal", space=space)
    impossible = (trials["model.filters"].map(len) == 3) & (trials["model.pool"] == 3)
    assert 0 < impossible.sum() < len(trials) and trials["log_loss"][impossible].eq(math.inf).all()
    assert (trials["failure"].notna() == impossible).all()
    assert best["model"] != {"filters": [4, 4, 4], "pool": 3}


def test_all_parts_of_a_trial_are_short(tmp_path: Path) -> None:
    seen: list[DeclaredParams] = []

    def objective(candidate: DeclaredParams) -> float:
        seen.append(candidate)
        return 1.0

    long = params(epochs=2, trials=1).overlaid(
        {"train": {"epochs": 10, "schedule": "step", "step_epochs": [4, 5, 9]}, "finetune": {"epochs": 20}}, "test"
    )
    search(long, objective, tmp_path / "short.journal", lambda *_: None)
    assert (seen[0].train.epochs, seen[0].finetune.epochs, seen[0].train.step_epochs) == (2, 4, [1])


def test_a_trial_is_scored_as_it_will_be_served(tmp_path: Path) -> None:
    chosen = small_params(
        model={"average": "flip"},
        train={"epochs": 2},
        tune={"enabled": True, "trials": 1, "epochs": 2, "space": {"train": {"learning_rate": {"choices": [0.02]}}}},
    )
    pictures, nothing = data(), tmp_path / "weights"
    _, trials = run_search(pictures, chosen, nothing, tmp_path, "content", lambda *_: None)
    network = fit(pictures, chosen.overlaid({"train": {"learning_rate": 0.02}}, "test"), nothing).network
    served, plain = (
        score_split(combine([network], average), pictures["validation"], 16)["log_loss"] for average in ("flip", "none")
    )
    assert trials["log_loss"].tolist() == [served] != [plain]


def test_accuracy_is_maximised(tmp_path: Path) -> None:
    best, trials, _ = run(tmp_path / "journal", metric="accuracy")
    winner = trials.iloc[trials["accuracy"].argmax()]
    assert best["train"]["learning_rate"] == winner["train.learning_rate"]
    assert (
        summarise(best, trials, params(metric="accuracy", enabled=True).tune)["best_score"] == trials["accuracy"].max()
    )


def test_off_leaves_empty() -> None:
    best, trials = no_search()
    assert best == {} and len(trials) == 0
    report = summarise(best, trials, params(enabled=False).tune)
    assert report == {"enabled": False, "trials": 0, "best": {}}
    assert params().overlaid(best, "best.yaml").flat() == params().flat()
