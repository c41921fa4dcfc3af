"""A batch that is pruned in lock step: each trial is compared with all of its batch, whatever ended first."""

import random
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cheap_search import cost, failing, params, run, told, train_cheaply
from darkroom.core.errors import UserError
from darkroom.examples.metrics import Diverged
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Job
from darkroom.train.measuring import Measured, measure
from darkroom.tune.attempts import Trainer
from darkroom.tune.pruning import behind
from darkroom.tune.search import search
from darkroom.tune.store import open_store
from darkroom.tune.trial import Drawn, Trial
from easy import data, small_params

SIX: dict[str, Any] = {"batch": 6, "pruner": "halving", "trials": 12}
RUNGS = (1, 3)


def by_number(trials: list[Trial]) -> dict[int, list[float]]:
    return {trial.number: [row["validation_log_loss"] for row in trial.curve] for trial in trials}


def kept(known: list[float]) -> float:
    """Return the highest loss among the best third; of one or two the best."""
    return sorted(known)[max(len(known) // 3, 1) - 1]


def test_of_all_that_came_to_a_rung_the_best_third_goes_on(tmp_path: Path) -> None:
    trials = run(tmp_path, **SIX)[0]
    curves = by_number(trials)
    for batch in (range(6), range(6, 12)):
        known = {number: curve for number, curve in curves.items() if number < batch.stop}
        for rung in RUNGS:
            reached = {number: curve[rung - 1] for number, curve in known.items() if len(curve) >= rung}
            best = kept(list(reached.values()))
            on = {number for number in batch if len(curves[number]) > rung}
            assert on == {number for number in batch if number in reached and (reached[number] <= best or number == 0)}
    assert {len(curve) for curve in curves.values()} == {1, 3, 9}
    assert trials[-1].reason == "behind other trials after epoch 1"


def test_one_trial_at_a_time_is_as_it_always_was(tmp_path: Path) -> None:
    """The digest is of a search before there was a lock step."""
    for pruner, expected in {"halving": "7796e4007c3c6d9b", "hyperband": "6b3c522868b17f2f"}.items():
        found = [values(trial) for trial in run(tmp_path / pruner, pruner=pruner, trials=14)[0]]
        assert sha256(repr(found).encode()).hexdigest()[:16] == expected


def values(trial: Trial) -> Any:
    overlay = {section: rounded(keys) for section, keys in trial.drawn.overlay.items()}
    return trial.number, trial.state, len(trial.curve), overlay, rounded(trial.scores), rounded(trial.rungs)


def rounded(named: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in named.items()}


@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_the_table_does_not_depend_on_how_many_train_side_by_side(tmp_path: Path, pruner: str) -> None:
    def slowly(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        time.sleep(0.02 * (cost(candidate) % 1))  # they end in another order than they begin
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    chosen = {**SIX, "pruner": pruner}
    assert told(run(tmp_path / "a", slowly, slots=4, **chosen)[0]) == told(run(tmp_path / "b", **chosen)[0])


@pytest.mark.parametrize("call", [2, 6, 8, 11])
def test_a_search_stopped_before_at_or_after_a_rung_resumes_to_the_same_table(tmp_path: Path, call: int) -> None:
    whole = run(tmp_path / "whole", **SIX)[0]
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", failing(KeyboardInterrupt(), call), **SIX)
    assert told(run(tmp_path / "stopped", **SIX)[0]) == told(whole)


def test_a_trial_that_fails_later_counts_at_the_rungs_that_it_reached(tmp_path: Path) -> None:
    """Else a search that is stopped afterwards, and knows it as failed, would decide otherwise."""
    whole = run(tmp_path, failing(Diverged("the network diverged"), 6), **SIX)[0]
    (failed,) = (trial for trial in whole if trial.state == "failed")
    assert len(failed.curve) == 1 and failed.rungs  # it fell behind nobody at the first rung
    waiting = [number for number in range(6) if number != failed.number]
    ended = [number for number in waiting if whole[number].state == "pruned" and len(whole[number].curve) == 1]
    assert (
        ended
        and behind(params(**SIX).tune, [], {trial.number: trial.curve for trial in whole[:6]}, waiting, 1) == ended
    )


def test_the_place_of_a_refused_trial_is_taken_before_the_first_comparison(tmp_path: Path) -> None:
    trials, _ = run(tmp_path, failing(UserError("no such layer"), 3), batch=6, trials=5, pruner="halving")
    assert [trial.state for trial in trials].count("refused") == 1 and len(trials) == 6
    compared = [curve[0] for curve in by_number(trials).values() if curve]
    assert len(compared) == 5 and all(
        (len(curve) > 1) == (curve[0] <= kept(compared) or number == 0)
        for number, curve in by_number(trials).items()
        if curve
    )


def falling(floor: float) -> list[Any]:
    return [{"validation_log_loss": floor + 1 / epoch} for epoch in range(1, 10)]


def test_the_answer_is_the_same_in_any_order() -> None:
    tune = params(batch=9, pruner="halving").tune
    noted = {"completed_rung_0": 1.5, "completed_rung_1": 0.5 + 1 / 3}
    earlier = [Trial(Drawn(number, {}), "complete", curve=falling(0.5), rungs=noted) for number in range(2)]
    curves = {number: falling(0.1 * number) for number in range(2, 11)}
    other = dict(random.Random(0).sample(list(curves.items()), len(curves)))
    for rung in RUNGS:
        assert behind(tune, earlier, curves, list(curves), rung) == [5, 6, 7, 8, 9, 10]  # 3 of 11 go on
        assert sorted(behind(tune, earlier[::-1], other, list(other), rung)) == [5, 6, 7, 8, 9, 10]


@pytest.mark.slow
def test_a_training_that_waited_gives_what_it_gives_without_a_pause(tmp_path: Path) -> None:
    pictures = data()

    def train_here(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, _gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        return measure(Job(candidate, pictures, tmp_path, checkpoint), ("validation",), on_epoch)

    found, space = {}, {"train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    for pruner in ("none", "halving"):
        chosen = small_params(tune={"trials": 3, "epochs": 4, "batch": 3, "pruner": pruner, "space": space})
        with open_store(tmp_path / pruner, "name", chosen.tune) as store:
            trainer = Trainer(train_here, checkpoints=tmp_path / "checkpoints")
            found[pruner] = search(chosen, trainer, store, lambda _: None)
    complete = [trial for trial in found["halving"] if trial.state == "complete"]
    assert 0 < len(complete) < 3 and not list((tmp_path / "checkpoints").iterdir())
    for trial in complete:
        whole = found["none"][trial.number]
        assert (trial.scores, trial.curve) == (whole.scores, whole.curve)
