"""The search with real studies of Optuna and a cheap training; processes are really killed."""

import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cheap_search import SPACE, cost, failing, params, run, told, train_cheaply
from darkroom.core.errors import UserError
from darkroom.examples.metrics import Diverged, score_split
from darkroom.execution.logs import configure_logging
from darkroom.execution.processes import Died, Killed, Processes
from darkroom.models.combine import combine
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.fit import fit
from darkroom.train.measuring import Failed, Measured
from darkroom.tune.attempts import Trainer, side_by_side, trainer
from darkroom.tune.fresh import run_fresh
from darkroom.tune.search import search
from darkroom.tune.store import open_store
from darkroom.tune.trial import Trial
from easy import data, small_params
from pictures import ROOT

LOGGED = "darkroom.tune.search"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    return run(tmp_path_factory.mktemp("search"))[0]


def test_the_parameters_come_first_then_values_of_the_space(whole: list[Trial]) -> None:
    assert [(trial.number, trial.state) for trial in whole] == [(number, "complete") for number in range(8)]
    own = params()
    assert whole[0].drawn.overlay["train"] == {"learning_rate": 0.01, "batch_size": own.train.batch_size}
    for drawn in (trial.drawn.overlay for trial in whole):
        assert 1e-4 <= drawn["train"]["learning_rate"] <= 1e-1 and isinstance(drawn["train"]["batch_size"], int)
        assert drawn["model"]["filters"] in SPACE["model"]["filters"]["choices"]
    assert len({trial.drawn.overlay["train"]["learning_rate"] for trial in whole}) == 8


KILLED = """
import os, signal, threading
from pathlib import Path
from cheap_search import run, train_cheaply
calls, together = [], threading.Barrier(2)
def train(candidate, on_epoch, gpu):
    calls.append(candidate)
    number = len(calls)
    if {batch} == 2 and number > {die_at} - 1:
        together.wait()
    if number >= {die_at}:
        if {batch} == 1 or gpu == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()
    return train_cheaply(candidate, on_epoch, gpu)
run(Path({folder!r}), train, {batch}, batch={batch}, pruner={pruner!r})
"""


def killed(folder: Path, die_at: int, batch: int, pruner: str = "none") -> None:
    """Search in a process that kills itself in training number `die_at`, from 1."""
    code = KILLED.format(folder=str(folder), die_at=die_at, batch=batch, pruner=pruner)
    folders = ":".join(str(ROOT / name) for name in ("src", "tests"))
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": folders}, timeout=120)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("die_at", "batch", "pruner"), [(7, 1, "halving"), (5, 2, "halving")])
def test_a_killed_search_resumes_to_the_same_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], die_at: int, batch: int, pruner: str
) -> None:
    configure_logging("tune")
    killed(tmp_path / "killed", die_at, batch, pruner)
    trials, tried = run(tmp_path / "killed", slots=batch, batch=batch, pruner=pruner)
    assert sorted(tried) == list(range(die_at - 1, 8))  # only what was missing
    assert f"tune: resumes after trial {die_at - 2}\n" in capsys.readouterr().err
    again = run(tmp_path / "whole", slots=batch, batch=batch, pruner=pruner)[0]
    assert told(trials) == told(again)
    assert any(trial.state == "pruned" for trial in trials)


def slowly(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
    time.sleep(0.02 * (cost(candidate) % 1))  # they end in another order than they begin
    return train_cheaply(candidate, on_epoch, gpu)


def test_batches_repeat_whatever_the_order_of_ending(tmp_path: Path) -> None:
    first, tried = run(tmp_path / "a", slowly, slots=3, batch=3, pruner="median", trials=9)
    assert told(first) == told(run(tmp_path / "b", train_cheaply, slots=1, batch=3, pruner="median", trials=9)[0])
    assert sorted(tried) == list(range(9))


def test_without_batches_all_slots_are_busy_until_the_end(tmp_path: Path) -> None:
    together, gpus = threading.Barrier(2, timeout=30), set()

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        gpus.add(gpu)
        together.wait()
        return train_cheaply(candidate, on_epoch, gpu)

    trials, _ = run(tmp_path, train, slots=2, batch=0)
    assert [trial.number for trial in trials] == list(range(8)) and gpus == {0, 1}


def test_a_training_that_dies_once_is_tried_again(tmp_path: Path, whole: list[Trial]) -> None:
    assert told(run(tmp_path, failing(Killed("a process was killed"), 3))[0]) == told(whole)


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
    tmp_path: Path, whole: list[Trial], caplog: pytest.LogCaptureFixture, error: Exception, calls: Any, reason: str
) -> None:
    caplog.set_level(logging.INFO)
    trials, tried = run(tmp_path, failing(error, *calls))
    assert [trial.state for trial in trials] == ["complete"] * 2 + ["failed"] + ["complete"] * 5
    assert trials[2].reason == reason and trials[2].scores == {} and trials[2].drawn == whole[2].drawn
    assert (LOGGED, logging.WARNING, f"trial 2 (3 of 8) failed: {reason}") in caplog.record_tuples
    assert run(tmp_path) == (trials, []) and tried == list(range(8))  # kept


def test_a_score_that_is_not_a_number_has_failed(tmp_path: Path) -> None:
    calls: list[int] = []

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        calls.append(len(calls))
        measured = train_cheaply(candidate, on_epoch, gpu)
        return replace(measured, scores={"validation": {"log_loss": math.nan}}) if calls[-1] else measured

    trials, _ = run(tmp_path, train, trials=3)
    assert [(trial.state, trial.reason) for trial in trials[1:]] == [("failed", "log_loss is not a number")] * 2
    assert len(trials[1].curve) == 9 and trials[1].scores == {}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), UserError("no internet", 1)])
def test_a_search_that_was_stopped_resumes_however_often(
    whole: list[Trial], tmp_path: Path, error: BaseException
) -> None:
    for call in (3, 0, 0):  # three times in trial 3
        with pytest.raises(type(error)):
            run(tmp_path, failing(error, call))
    trials, tried = run(tmp_path)
    assert told(trials) == told(whole) and tried == [3, 4, 5, 6, 7]


def test_a_search_in_which_every_trial_fails_is_a_mistake_and_starts_anew(whole: list[Trial], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none of the 8 trials gave a model \(the first: OOM\)"):
        run(tmp_path, failing(Failed("OOM"), *range(8)))
    assert told(run(tmp_path)[0]) == told(whole)  # with more memory


def test_more_trials_resume_and_fewer_are_the_first_ones(whole: list[Trial], tmp_path: Path) -> None:
    run(tmp_path, trials=5)
    trials, tried = run(tmp_path)
    assert tried == [5, 6, 7] and told(trials) == told(whole)
    assert run(tmp_path, trials=5, finalists=1, fresh_seeds=3, tolerance=0.5) == (trials[:5], [])


def test_the_seed_decides(whole: list[Trial], tmp_path: Path) -> None:
    assert told(run(tmp_path, seed=1)[0])[1:] != told(whole)[1:]


IMPOSSIBLE = {"model": {"filters": {"choices": [[4], [4, 4, 4]]}, "pool": {"choices": [2, 3]}}}  # 8 pixels, thrice by 3


def test_a_combination_that_makes_no_network_is_refused_before_training(tmp_path: Path) -> None:
    trained: list[DeclaredParams] = []

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        trained.append(candidate)
        return train_cheaply(candidate, on_epoch, gpu)

    trials, _ = run(tmp_path, train, space=IMPOSSIBLE, sampler="random", trials=12)
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


def test_no_trial_begins_when_the_time_is_up(tmp_path: Path) -> None:
    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        time.sleep(0.02)
        return train_cheaply(candidate, on_epoch, gpu)

    assert len(run(tmp_path / "a", train, trials=0, minutes=0.05 / 60)[0]) in (1, 2, 3)
    assert len(run(tmp_path / "b", train, trials=2, minutes=100)[0]) == 2
    assert run(tmp_path / "a", train, trials=0, minutes=0.02 / 60)[1] == []  # the time before counts


def test_fresh_runs_are_kept(tmp_path: Path, whole: list[Trial]) -> None:
    chosen, seeds = params(), []

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        seeds.append(candidate.train.seed)
        if seeds == [7, 8, 7]:
            raise KeyboardInterrupt
        if seeds[-1] == 8:
            raise Diverged("the network diverged")
        return train_cheaply(candidate, on_epoch, gpu)

    pairs = [(whole[5], 7), (whole[5], 8), (whole[2], 7)]
    with open_store(tmp_path, "name", chosen.tune) as store, pytest.raises(KeyboardInterrupt):
        run_fresh(chosen, Trainer(train), store, pairs)
    with open_store(tmp_path, "name", chosen.tune) as store:
        runs = run_fresh(chosen, Trainer(train), store, pairs)
        assert store.fresh_runs() == [runs[2], runs[0]]
    assert seeds == [7, 8, 7, 8, 7]  # what gave no model is tried again
    assert [(run.number, run.seed, run.scores) for run in runs] == [
        (5, 7, whole[5].scores),
        (5, 8, {}),
        (2, 7, whole[2].scores),
    ]


def test_all_parts_of_a_trial_are_short(tmp_path: Path) -> None:
    seen: list[DeclaredParams] = []

    def train(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None) -> Measured:
        seen.append(candidate)
        return train_cheaply(candidate, on_epoch, gpu)

    long = params(epochs=2, trials=1).overlaid(
        {"train": {"epochs": 10, "schedule": "step", "step_epochs": [4, 5, 9]}, "finetune": {"epochs": 20}}, "test"
    )
    with open_store(tmp_path, "name", long.tune) as store:
        search(long, Trainer(train), store, lambda _: None)
    assert (seen[0].train.epochs, seen[0].finetune.epochs, seen[0].train.step_epochs) == (2, 4, [1])


def test_several_scores_are_kept(tmp_path: Path) -> None:
    trials, _ = run(tmp_path, metric="accuracy", costs=["parameters"], trials=3)
    assert all(trial.scores["parameters"] == 100 * len(trial.drawn.overlay["model"]["filters"]) for trial in trials[1:])
    assert run(tmp_path, metric="accuracy", costs=["parameters"], trials=3) == (trials, [])


def test_tasks_are_asked_for_when_a_slot_is_free() -> None:
    asked, events = [], [threading.Event() for _ in range(3)]

    def tasks() -> Any:
        for number in range(3):
            asked.append(number)
            yield lambda slot, number=number: (events[number].wait(30), number, slot)[1:]

    results = side_by_side(tasks(), 2)
    events[1].set()
    assert next(results) == (1, 1) and asked == [0, 1]
    events[2].set()
    assert next(results) == (2, 1)
    events[0].set()
    assert list(results) == [(0, 0)]


def test_a_trial_is_trained_in_a_process_and_scored_as_it_will_be_served(tmp_path: Path) -> None:
    chosen = small_params(
        model={"average": "flip"},
        train={"epochs": 2},
        tune={"enabled": True, "trials": 1, "epochs": 2, "space": {"train": {"learning_rate": {"choices": [0.01]}}}},
    )
    pictures, nothing = data(), tmp_path / "weights"
    with open_store(tmp_path, "name", chosen.tune) as store, Processes() as processes:
        trial = search(chosen, trainer(processes, lambda _: pictures, nothing, chosen), store, lambda _: None)[0]
    network = fit(pictures, chosen, nothing).network
    served, plain = (
        score_split(combine([network], average), pictures["validation"], 16)["log_loss"] for average in ("flip", "none")
    )
    assert trial.scores["log_loss"] == served != plain
    assert len(trial.curve) == 2 and trial.scores["parameters"] == network.count_params()


def test_an_unfinished_line_of_the_journal_is_dropped(tmp_path: Path, whole: list[Trial]) -> None:
    run(tmp_path, trials=4)
    journal = next(tmp_path.glob("*.journal"))
    journal.write_bytes(journal.read_bytes()[:-20])
    trials, tried = run(tmp_path)
    assert tried == [3, 4, 5, 6, 7] and told(trials) == told(whole)


def test_the_dashboard_sees_what_happened(tmp_path: Path) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    trials, _ = run(tmp_path, failing(Failed("OOM"), 2), pruner="halving", trials=12)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(next(tmp_path.glob("*.journal")))))
    study = optuna.load_study(study_name=next(iter(tmp_path.glob("*.journal"))).stem, storage=storage)
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    assert [trial.state.name for trial in study.trials] == [states[trial.state] for trial in trials]
    assert study.trials[2].user_attrs["reason"] == "OOM" and study.trials[1].params == trials[1].drawn.values
    assert list(study.trials[0].intermediate_values) == list(range(1, 10))
    assert study.best_value == min(trial.scores["log_loss"] for trial in trials if trial.scores)
