"""What a search keeps, and how one that was stopped goes on; processes are really killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cheap_search import failing, params, run, told, train_cheaply, whole
from darkroom.core.errors import UserError
from darkroom.examples.metrics import Diverged
from darkroom.execution.logs import configure_logging
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Failed
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer
from darkroom.tune.fresh import run_fresh
from darkroom.tune.store import open_store
from pictures import ROOT

KILLED = """
import os, signal, threading
from pathlib import Path
from cheap_search import run, train_cheaply
calls, together = [], threading.Barrier(2)
def train(candidate, on_epoch, gpu, checkpoint):
    calls.append(candidate)
    number = len(calls)
    if {batch} == 2 and number > {die_at} - 1:
        together.wait()
    if number >= {die_at}:
        if {batch} == 1 or gpu == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()
    return train_cheaply(candidate, on_epoch, gpu, checkpoint)
run(Path({folder!r}), train, {batch}, batch={batch}, pruner={pruner!r})
"""


def killed(folder: Path, die_at: int, batch: int, pruner: str) -> None:
    """Search in a process that kills itself in training number `die_at`, from 1."""
    code = KILLED.format(folder=str(folder), die_at=die_at, batch=batch, pruner=pruner)
    folders = ":".join(str(ROOT / name) for name in ("src", "tests"))
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": folders}, timeout=120)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("die_at", "batch", "pruner"), [(7, 1, "halving"), (5, 2, "median")])
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
    assert any(trial.state == "pruned" for trial in trials) == (pruner == "halving")  # eight are few for the median


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), UserError("no internet", 1)])
def test_a_search_that_was_stopped_resumes_however_often(tmp_path: Path, error: BaseException) -> None:
    for call in (3, 0, 0):  # three times in trial 3
        with pytest.raises(type(error)):
            run(tmp_path, failing(error, call))
    trials, tried = run(tmp_path)
    assert told(trials) == told(whole()) and tried == [3, 4, 5, 6, 7]


def test_more_trials_resume_and_fewer_are_the_first_ones(tmp_path: Path) -> None:
    run(tmp_path, trials=5)
    trials, tried = run(tmp_path)
    assert tried == [5, 6, 7] and told(trials) == told(whole())
    assert run(tmp_path, trials=5, finalists=1, fresh_seeds=3, tolerance=0.5) == (trials[:5], [])


def test_an_unfinished_line_of_the_journal_is_dropped(tmp_path: Path) -> None:
    run(tmp_path, trials=4)
    journal = next(tmp_path.glob("*.journal"))
    journal.write_bytes(journal.read_bytes()[:-20])
    trials, tried = run(tmp_path)
    assert tried == [3, 4, 5, 6, 7] and told(trials) == told(whole())


def test_fresh_runs_are_kept(tmp_path: Path) -> None:
    chosen, seeds = params(), []

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        seeds.append(candidate.train.seed)
        if seeds == [7, 8, 7]:
            raise KeyboardInterrupt
        if seeds[-1] == 8:
            raise Diverged("the network diverged")
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    trials = whole()
    pairs = [(trials[5], 7), (trials[5], 8), (trials[2], 7)]
    with open_store(tmp_path, "name", chosen.tune) as store, pytest.raises(KeyboardInterrupt):
        run_fresh(chosen, Trainer(train), store, pairs)
    with open_store(tmp_path, "name", chosen.tune) as store:
        runs = run_fresh(chosen, Trainer(train), store, pairs)
        assert store.fresh_runs() == [runs[2], runs[0]]
    assert seeds == [7, 8, 7, 8, 7]  # what gave no model is tried again
    assert [(run.number, run.seed, run.scores) for run in runs] == [
        (5, 7, trials[5].scores),
        (5, 8, {}),
        (2, 7, trials[2].scores),
    ]


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
