"""Which trials of a search are stopped, on curves that a formula draws."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from darkroom.params.search import Tune
from darkroom.tune.pruning import MEDIAN_AFTER, Pruning
from darkroom.tune.trial import Drawn, Trial

EPOCHS = 9
PRUNERS = ["halving", "hyperband", "median"]
Curve = list[float]
curves = st.lists(st.lists(st.floats(0.1, 3), min_size=EPOCHS, max_size=EPOCHS), min_size=MEDIAN_AFTER + 1, max_size=12)


def settings(pruner: str) -> Tune:
    fixed: dict[str, Any] = {"enabled": True, "trials": 9, "minutes": 0, "metric": "accuracy", "costs": [], "seed": 0}
    more: dict[str, Any] = {"tolerance": 0, "sampler": "tpe", "batch": 1, "finalists": 0, "fresh_seeds": 1}
    return Tune(**{**fixed, **more}, epochs=EPOCHS, pruner=pruner, space={})  # type: ignore[arg-type]


def train(pruner: str, trials: list[Trial], number: int, curve: Curve) -> Trial:
    """Return the trial that has this curve, or its beginning."""
    pruning, rows = Pruning(settings(pruner), trials, number), []
    for epoch, loss in enumerate(curve, start=1):
        rows.append({"validation_log_loss": loss})
        if pruning.stops(epoch, loss):
            return Trial(Drawn(number, {}), "pruned", curve=rows, rungs=pruning.rungs)
    return Trial(Drawn(number, {}), "complete", {"accuracy": 0.5}, rows, rungs=pruning.rungs)


def search(pruner: str, curves: list[Curve]) -> list[Trial]:
    trials: list[Trial] = []
    for number, curve in enumerate(curves):
        trials.append(train(pruner, trials, number, curve))
    return trials


def falling(floor: float) -> Curve:
    return [floor + 1 / epoch for epoch in range(1, EPOCHS + 1)]


def random_curves(count: int) -> list[Curve]:
    chance = random.Random(0)
    return [falling(chance.random()) for _ in range(count)]


def epochs(trials: list[Trial]) -> list[int]:
    return [len(trial.curve) for trial in trials]


@pytest.mark.parametrize("pruner", PRUNERS)
@examples(max_examples=15, deadline=None)
@given(curves=curves, order=st.randoms())
def test_decisions_depend_on_what_ended_and_on_the_curve_alone(
    pruner: str, curves: list[Curve], order: random.Random
) -> None:
    *earlier, last = curves
    trials = search(pruner, earlier)
    other_order = order.sample(trials, len(trials))
    assert train(pruner, other_order, len(trials), last) == train(pruner, trials, len(trials), last)


@pytest.mark.parametrize("pruner", PRUNERS)
@examples(max_examples=15, deadline=None)
@given(curves=curves)
def test_the_best_so_far_is_never_stopped(pruner: str, curves: list[Curve]) -> None:
    trials = search(pruner, curves)
    best = [min(curve[epoch] for curve in curves) for epoch in range(EPOCHS)]
    assert train(pruner, trials, len(trials), best).state == "complete"


@pytest.mark.parametrize("pruner", PRUNERS)
def test_the_values_of_the_file_are_trained_to_the_end(pruner: str) -> None:
    better = [train(pruner, [], number, falling(0.1)) for number in range(1, 8)]  # that ended while trial 0 ran
    assert train(pruner, better, 0, falling(2)).state == "complete"
    assert train(pruner, better, 8, falling(2)).state == "pruned"


def test_halving_lets_a_third_go_on_after_a_ninth_and_after_a_third_of_the_epochs() -> None:
    trials = search("halving", random_curves(60))
    assert set(epochs(trials)) == {1, 3, EPOCHS}
    assert trials[0].rungs == {
        f"completed_rung_{k}": trials[0].curve[3**k - 1]["validation_log_loss"] for k in range(3)
    }
    assert epochs(trials).count(1) > 30
    assert sum(epochs(trials)) < len(trials) * EPOCHS / 2


def test_the_median_and_hyperband_save_less_than_halving() -> None:
    spent = {pruner: sum(epochs(search(pruner, random_curves(60)))) for pruner in PRUNERS}
    assert spent["halving"] < spent["hyperband"] < 60 * EPOCHS
    assert spent["halving"] < spent["median"] < 60 * EPOCHS


def test_halving_compares_with_the_rungs_that_trials_noted() -> None:
    good, bad = falling(0.1), falling(2.0)
    trials = search("halving", [good, good])
    assert train("halving", trials, 2, bad).state == "pruned"
    forgetful = [Trial(trial.drawn, trial.state, trial.scores, trial.curve) for trial in trials]
    assert train("halving", forgetful, 2, bad).state == "complete"


def test_the_bracket_of_hyperband_follows_from_the_number() -> None:
    trials = search("hyperband", [falling(0.1)] * 40)
    known = [trial for trial in trials if trial.state == "complete"]
    stopped = {number: len(train("hyperband", trials, number, falling(2.0)).curve) for number in range(40, 60)}
    with_gaps = {number: len(train("hyperband", known, number, falling(2.0)).curve) for number in range(40, 60)}
    assert stopped == with_gaps
    assert set(stopped.values()) == {1, 3, EPOCHS}


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_failed_and_refused_trials_are_no_measure(state: Any) -> None:
    trials = [Trial(trial.drawn, state, curve=trial.curve) for trial in search("median", [falling(0.1)] * 8)]
    assert all(train(pruner, trials, 8, falling(2.0)).state == "complete" for pruner in PRUNERS)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_loss_that_is_not_a_number_stops_at_once(pruner: str) -> None:
    assert len(train(pruner, [], 0, [0.5, float("nan"), 0.5]).curve) == 2


def test_without_a_pruner_nothing_is_stopped() -> None:
    curves = [*random_curves(8), [float("nan")] * EPOCHS]
    assert epochs(search("none", curves)) == [EPOCHS] * 9


@pytest.mark.parametrize("pruner", PRUNERS)
def test_what_has_had_its_epochs_is_not_stopped(pruner: str) -> None:
    trials = search(pruner, [falling(0.1)] * 12)
    late = [*falling(0.0)[:-1], 5.0]
    assert train(pruner, trials, 12, late).state == "complete"
