"""A search with real studies of Optuna and a cheap training: what is tried, how many at a time, until when."""

import threading
import time
from pathlib import Path
from typing import Any

from cheap_search import SPACE, cost, noting, params, run, told, train_cheaply, whole
from darkroom.examples.metrics import score_split
from darkroom.execution.processes import Processes
from darkroom.execution.tasks import side_by_side
from darkroom.models.combine import combine
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.fit import fit
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer, trainer
from darkroom.tune.search import search
from darkroom.tune.store import open_store
from easy import data, small_params


def test_the_parameters_come_first_then_values_of_the_space() -> None:
    assert [(trial.number, trial.state) for trial in whole()] == [(number, "complete") for number in range(8)]
    own = params()
    assert whole()[0].drawn.overlay["train"] == {"learning_rate": 0.01, "batch_size": own.train.batch_size}
    for drawn in (trial.drawn.overlay for trial in whole()):
        assert 1e-4 <= drawn["train"]["learning_rate"] <= 1e-1 and isinstance(drawn["train"]["batch_size"], int)
        assert drawn["model"]["filters"] in SPACE["model"]["filters"]["choices"]
    assert len({trial.drawn.overlay["train"]["learning_rate"] for trial in whole()}) == 8


def test_the_seed_decides(tmp_path: Path) -> None:
    assert told(run(tmp_path, seed=1)[0])[1:] != told(whole())[1:]


def slowly(candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None) -> Measured:
    time.sleep(0.02 * (cost(candidate) % 1))  # they end in another order than they begin
    return train_cheaply(candidate, on_epoch, gpu, checkpoint)


def test_batches_repeat_whatever_the_order_of_ending(tmp_path: Path) -> None:
    first, tried = run(tmp_path / "a", slowly, slots=3, batch=3, pruner="median", trials=9)
    assert told(first) == told(run(tmp_path / "b", train_cheaply, slots=1, batch=3, pruner="median", trials=9)[0])
    assert sorted(tried) == list(range(9))


def test_without_batches_all_slots_are_busy_until_the_end(tmp_path: Path) -> None:
    together, gpus = threading.Barrier(2, timeout=30), set()

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        gpus.add(gpu)
        together.wait()
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    trials, _ = run(tmp_path, train, slots=2, batch=0)
    assert [trial.number for trial in trials] == list(range(8)) and gpus == {0, 1}


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


def test_no_trial_begins_when_the_time_is_up(tmp_path: Path) -> None:
    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        time.sleep(0.2)
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    assert len(run(tmp_path / "a", train, trials=0, minutes=0.5 / 60)[0]) in (1, 2, 3)
    assert len(run(tmp_path / "b", train, trials=2, minutes=100)[0]) == 2
    assert run(tmp_path / "a", train, trials=0, minutes=0.2 / 60)[1] == []  # the time before counts


def test_all_parts_of_a_trial_are_short(tmp_path: Path) -> None:
    seen: list[DeclaredParams] = []
    long = params(epochs=2, trials=1).overlaid(
        {"train": {"epochs": 10, "schedule": "step", "step_epochs": [4, 5, 9]}, "finetune": {"epochs": 20}}, "test"
    )
    with open_store(tmp_path, "name", long.tune) as store:
        search(long, Trainer(noting(seen)), store, lambda _: None)
    assert (seen[0].train.epochs, seen[0].finetune.epochs, seen[0].train.step_epochs) == (2, 4, [1])


def test_several_scores_are_kept(tmp_path: Path) -> None:
    trials, _ = run(tmp_path, metric="accuracy", costs=["parameters"], trials=3)
    assert all(trial.scores["parameters"] == 100 * len(trial.drawn.overlay["model"]["filters"]) for trial in trials[1:])
    assert run(tmp_path, metric="accuracy", costs=["parameters"], trials=3) == (trials, [])


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
