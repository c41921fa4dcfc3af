"""The combinations that a search draws, from trials that a formula scores."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.core.errors import UserError
from darkroom.params.search import Tune
from darkroom.tune.sampling import POPULATION, RANDOM_TRIALS, combinations, draw
from darkroom.tune.trial import Drawn, State, Trial

SAMPLERS = ["tpe", "random", "qmc", "grid", "cmaes", "nsga2"]
STEPS = {"low": 0.1, "high": 0.5, "step": 0.1}
MIXED = {
    "train": {
        "learning_rate": {"choices": [0.001, 0.01, 0.1]},
        "optimizer": {"choices": ["adam", "sgd"]},
        "momentum": {"low": 0.5, "high": 0.9, "step": 0.2, "when": {"train.optimizer": ["sgd"]}},
    },
    "model": {"dropout": STEPS, "filters": {"choices": [[4], [4, 8]]}, "units": {"low": 2, "high": 5}},
}
OWN = {
    "train.learning_rate": 0.001,
    "train.optimizer": "adam",
    "train.momentum": 0.9,
    "model.dropout": 0.2,
    "model.filters": [4],
    "model.units": 3,
}
LINE = {"train": {"x": {"low": 0.0, "high": 1.0}}}
PLANE = {"train": {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}}
Score = Callable[[dict[str, Any]], float]


def settings(space: dict[str, Any] = MIXED, **values: Any) -> Tune:
    fixed: dict[str, Any] = {"enabled": True, "trials": 9, "minutes": 0, "epochs": 9, "metric": "log_loss", "costs": []}
    more = {"tolerance": 0, "pruner": "none", "batch": 1, "finalists": 0, "fresh_seeds": 1, "seed": 0}
    return Tune(**{**fixed, **more, "space": space, "sampler": "tpe", **values})


def flat(drawn: Drawn) -> dict[str, Any]:
    return {f"{part}.{key}": value for part, keys in drawn.overlay.items() for key, value in keys.items()}


def cost(values: dict[str, float]) -> float:
    return abs(math.log10(values["train.learning_rate"]) + 2) + values["model.dropout"] + values["model.units"] / 9


def completed(drawn: Drawn, score: Score = cost) -> Trial:
    """Return the trial as it ends, its notes as a file gives them back."""
    drawn = Drawn(drawn.number, drawn.overlay, drawn.values, drawn.distributions, json.loads(json.dumps(drawn.notes)))
    return Trial(drawn, "complete", {"log_loss": score(flat(drawn)), "parameters": 1.0 + drawn.number % 3})


def searched(tune: Tune, count: int, own: dict[str, Any] = OWN, score: Score = cost) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(count):
        trials += [completed(drawn, score) for drawn in draw(tune, own, trials, [number])]
    return trials


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_trials_give_the_same_combination_in_whatever_order_they_ended(sampler: str) -> None:
    tune = settings(sampler=sampler)
    trials = searched(tune, 14)
    other_order = random.Random(1).sample(trials, len(trials))
    assert draw(tune, OWN, other_order, [14, 15]) == draw(tune, OWN, trials, [14, 15])
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


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_siblings_of_a_batch_differ_and_come_again(sampler: str) -> None:
    tune = settings(sampler=sampler)
    trials = searched(tune, 12)
    batch = draw(tune, OWN, trials, [12, 13, 14])
    assert [drawn.number for drawn in batch] == [12, 13, 14]
    assert batch == draw(tune, OWN, trials, [12, 13, 14])
    assert len({repr(drawn.overlay) for drawn in batch}) > 1


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2", "grid"])
def test_a_combination_is_not_drawn_twice_while_others_are_left(sampler: str) -> None:
    space = {"train": {"x": {"choices": [1, 2, 3, 4]}, "y": {"low": 0.1, "high": 0.3, "step": 0.1}}}  # 12 combinations
    tune, own = settings(space, sampler=sampler), {"train.x": 1, "train.y": 0.3}
    trials = searched(tune, 6, own, lambda values: values["train.x"] + values["train.y"])
    together = [*trials, *(completed(drawn, lambda _: 0.0) for drawn in draw(tune, own, trials, [6, 7]))]
    assert len({repr(trial.drawn.overlay) for trial in together}) == 8
    assert len(draw(settings(space), own, together, range(8, 16))) == 8


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


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (LINE, "tune.space.train.x: a grid needs steps"),
        ({"train": {key: {"low": 1, "high": 500} for key in "xy"}}, "a grid of more than 10000 combinations"),
    ],
)
def test_a_grid_must_be_finite(space: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        draw(settings(space, sampler="grid"), {"train.x": 1, "train.y": 1}, [], [0])


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


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random", "qmc", "grid"])
def test_several_objectives(sampler: str) -> None:
    tune = settings(sampler=sampler, costs=["parameters"])
    trials = searched(tune, 14)
    trials[5] = Trial(trials[5].drawn, "refused")
    assert draw(tune, OWN, trials, [14, 15]) == draw(tune, OWN, trials[::-1], [14, 15])


@pytest.mark.parametrize("values", [{"sampler": "cmaes"}, {"pruner": "halving"}])
def test_what_does_not_go_with_costs_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="remove costs"):
        settings(costs=["parameters"], **values)
