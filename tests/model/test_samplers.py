"""What each sampler does with the trials that have ended: it learns, keeps away, or walks its own sequence."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.tune.sampling import POPULATION, RANDOM_TRIALS, combinations, draw
from darkroom.tune.trial import State, Trial
from draws import LINE, OWN, PLANE, completed, flat, searched, settings


@pytest.mark.parametrize("state", ["refused", "failed"])
@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_combinations_that_give_no_model_are_kept_away_from(sampler: str, state: State) -> None:
    late: list[float] = []
    for seed in (1, 2):
        tune, trials = settings(PLANE, sampler=sampler, seed=seed), list[Trial]()
        for number in range(40):  # the nearer to the half that gives no model, the better
            [drawn] = draw(tune, {"train.x": 0.9, "train.y": 0.5}, trials, [number])
            possible = drawn.values["train.x"] >= 0.5
            trials.append(completed(drawn, lambda values: values["train.x"]) if possible else Trial(drawn, state))
        late += [trial.drawn.values["train.x"] for trial in trials[20:]]
    assert sum(value < 0.5 for value in late) < len(late) / 2  # TPE would draw nothing else if it were not told
    assert sum(0.5 <= value < 0.75 for value in late) > len(late) / 3  # a quarter at random


def test_cmaes_is_not_misled_by_combinations_that_give_no_model() -> None:
    tune, own = settings(PLANE, sampler="cmaes"), {"train.x": 0.5, "train.y": 0.5}
    trials = searched(tune, 12, own, lambda values: values["train.x"])
    refused = [Trial(trial.drawn, "refused") if trial.number in (3, 11) else trial for trial in trials]
    without = [trial for trial in trials if trial.number not in (3, 11)]
    assert draw(tune, own, refused, [12, 13]) == draw(tune, own, without, [12, 13])


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_tpe_learns_from_the_log_loss_of_pruned_trials(metric: str) -> None:
    tune = settings(LINE, metric=metric)
    random_ones = draw(settings(LINE, sampler="random"), {"train.x": 0.5}, [], range(1, 21))
    pruned = [
        Trial(drawn, "pruned", curve=[{"validation_log_loss": drawn.values["train.x"]}] * 2) for drawn in random_ones
    ]
    drawn = [draw(tune, {"train.x": 0.5}, pruned, [number])[0].values["train.x"] for number in range(21, 31)]
    assert sum(drawn) / len(drawn) < 0.35


def distances(trials: Sequence[Trial]) -> float:
    return sum(trial.scores["log_loss"] for trial in trials) / len(trials)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_samplers_come_closer_to_the_best(sampler: str) -> None:
    tune = settings(PLANE, sampler=sampler)

    def distance(values: dict[str, Any]) -> float:
        return math.hypot(values["train.x"] - 0.2, values["train.y"] - 0.7)

    trials = searched(tune, 50, {"train.x": 0.9, "train.y": 0.1}, distance)
    assert distances(trials[35:]) < distances(trials[1 : RANDOM_TRIALS + 1]) / 2


def test_nsga2_recombines_its_best_with_those_of_params_yaml_among_them() -> None:
    own = {"train.x": 0.0, "train.y": 0.0}
    for seed in (1, 2, 3):
        tune = settings(PLANE, sampler="nsga2", seed=seed)
        trials = searched(tune, 3 * POPULATION, own, lambda values: values["train.x"] + values["train.y"])
        first = {value for trial in trials[:POPULATION] for value in trial.drawn.values.values()}
        children = [set(trial.drawn.values.values()) for trial in trials[POPULATION:]]
        assert sum(bool(first & child) for child in children) > len(children) / 4
        assert any(0.0 in child for child in children)


def test_points_of_qmc_are_those_of_one_sequence_whatever_has_ended() -> None:
    tune = settings(PLANE, sampler="qmc")
    own = {"train.x": 0.5, "train.y": 0.5}
    together = draw(tune, own, [], range(1, 17))
    assert together == [draw(tune, own, [completed(together[0], lambda _: 0.0)], [n])[0] for n in range(1, 17)]
    for key in ("train.x", "train.y"):  # of a Sobol sequence, 16 points lie in 16 equal parts
        assert sorted(int(16 * drawn.values[key]) for drawn in together) == list(range(16))


def test_a_grid_has_each_combination_once_and_ends() -> None:
    tune = settings(sampler="grid")
    size = 3 * 5 * 2 * 4 * (1 + 3)  # with adam, and with each momentum of sgd
    assert combinations(tune, OWN) == size
    drawn = draw(tune, OWN, [], range(size + 5))
    assert [one.number for one in drawn] == list(range(size))
    assert Counter(repr(sorted(flat(one).items())) for one in drawn).most_common(1)[0][1] == 1
    assert combinations(tune, {**OWN, "model.units": 99}) == size + 1
    assert combinations(settings(), OWN) is None


def test_a_grid_must_be_small() -> None:
    space: dict[str, Any] = {"train": {key: {"low": 1, "high": 500} for key in "xy"}}
    with pytest.raises(UserError, match="a grid of more than 10000 combinations"):
        draw(settings(space, sampler="grid"), {"train.x": 1, "train.y": 1}, [], [0])
