"""The combinations that a search draws, by whichever sampler."""

import random
from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.tune.sampling import draw
from darkroom.tune.trial import Drawn, Trial
from draws import LINE, OWN, PLANE, completed, flat, searched, settings

SAMPLERS = ["tpe", "random", "qmc", "grid", "cmaes", "nsga2"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_trials_give_the_same_batch_in_whatever_order_they_ended(sampler: str) -> None:
    tune = settings(sampler=sampler)
    trials = searched(tune, 14)
    other_order = random.Random(1).sample(trials, len(trials))
    batch = draw(tune, OWN, trials, [14, 15, 16])
    assert batch == draw(tune, OWN, other_order, [14, 15, 16]) and [drawn.number for drawn in batch] == [14, 15, 16]
    assert len({repr(drawn.overlay) for drawn in batch}) > 1  # siblings differ
    assert flat(trials[0].drawn) == {key: value for key, value in OWN.items() if key != "train.momentum"}
    another_seed = settings(sampler=sampler, seed=1)
    assert [trial.drawn.overlay for trial in searched(another_seed, 14)] != [trial.drawn.overlay for trial in trials]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_values_lie_in_the_space_and_keys_are_drawn_where_they_apply(sampler: str) -> None:
    drawn = [flat(trial.drawn) for trial in searched(settings(sampler=sampler), 20)]
    assert all(("train.momentum" in values) == (values["train.optimizer"] == "sgd") for values in drawn)
    assert {values["train.optimizer"] for values in drawn} == {"adam", "sgd"}
    choices: dict[str, list[Any]] = {
        "model.filters": [[4], [4, 8]],
        "model.units": [2, 3, 4, 5],
        "model.dropout": [0.1, 0.2, 0.3, 0.4, 0.5],
        "train.momentum": [0.5, 0.7, 0.9],
    }
    for key, possible in choices.items():
        found = [values[key] for values in drawn if key in values]
        assert all(value in possible for value in found)


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2", "grid"])
def test_a_combination_is_not_drawn_twice_while_others_are_left(sampler: str) -> None:
    space = {"train": {"x": {"choices": [1, 2, 3, 4]}, "y": {"low": 0.1, "high": 0.3, "step": 0.1}}}  # 12 combinations
    tune, own = settings(space, sampler=sampler), {"train.x": 1, "train.y": 0.3}
    trials = searched(tune, 6, own, lambda values: values["train.x"] + values["train.y"])
    together = [*trials, *(completed(drawn, lambda _: 0.0) for drawn in draw(tune, own, trials, [6, 7]))]
    assert len({repr(trial.drawn.overlay) for trial in together}) == 8
    assert len(draw(settings(space), own, together, range(8, 16))) == 8


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random", "qmc", "grid"])
def test_several_objectives(sampler: str) -> None:
    tune = settings(sampler=sampler, costs=["parameters"])
    trials = searched(tune, 14)
    trials[5] = Trial(trials[5].drawn, "refused")
    assert draw(tune, OWN, trials, [14, 15]) == draw(tune, OWN, trials[::-1], [14, 15])


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_values_outside_the_space_come_first_and_stop_no_sampler(sampler: str) -> None:
    tune, outside = settings(PLANE, sampler=sampler), {"train.x": 7.0, "train.y": 0.5}
    trials = searched(tune, 30, outside, lambda values: values["train.x"] + values["train.y"])
    assert trials[0].drawn == Drawn(0, {"train": {"x": 7.0, "y": 0.5}})
    late = [trial.scores["log_loss"] for trial in trials[20:]]
    assert sum(late) / len(late) < 0.75  # 1 on average at random


def test_running_trials_are_kept_away_from() -> None:
    tune = settings(LINE)
    trials = searched(tune, 12, {"train.x": 0.5}, lambda values: (values["train.x"] - 0.3) ** 2)
    [alone] = draw(tune, {"train.x": 0.5}, trials, [13])
    [other] = draw(tune, {"train.x": 0.5}, trials, [13], running=draw(tune, {"train.x": 0.5}, trials, [12]))
    assert alone.values != other.values


@pytest.mark.parametrize("values", [{"sampler": "cmaes"}, {"pruner": "halving"}])
def test_what_does_not_go_with_costs_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="remove costs"):
        settings(costs=["parameters"], **values)
