"""The choice of a search, on trials with known scores."""

from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.params.search import Tune
from darkroom.tune.choice import Choice, choose, finalists, fresh_seeds, pareto_front
from darkroom.tune.trial import Drawn, FreshRun, Trial
from easy import small_params

COSTS = ("parameters", "kilobytes")
SPACE = {"train": {"learning_rate": {"choices": [0.1, 0.2]}}}


def tune(metric: str = "accuracy", **changes: Any) -> Tune:
    return small_params(tune={"metric": metric, "finalists": 3, "space": SPACE, **changes}).tune


def complete(*scores: tuple[float, ...], metric: str = "accuracy") -> list[Trial]:
    """Return complete trials with these values of metric and costs."""
    return [
        Trial(
            Drawn(number, {"train": {"batch_size": number}}), "complete", dict(zip((metric, *COSTS), one, strict=False))
        )
        for number, one in enumerate(scores)
    ]


def numbers(trials: list[Trial]) -> list[int]:
    return [trial.number for trial in trials]


def fresh(
    scores: dict[int, list[float]], metric: str = "accuracy", costs: dict[int, float] | None = None
) -> list[FreshRun]:
    """Return runs with these scores by number; NaN stands for a run that gave none."""
    return [
        FreshRun(number, seed, {metric: one, "parameters": (costs or {}).get(number, 0)} if one == one else {}, 1.0)
        for number, all_of_one in scores.items()
        for seed, one in enumerate(all_of_one)
    ]


def test_the_front_is_what_no_trial_beats() -> None:
    trials = complete((0.9, 100, 5), (0.8, 50, 5), (0.8, 60, 5), (0.7, 50, 5), (0.6, 200, 4), (0.9, 100, 5))
    assert numbers(pareto_front(trials, tune(costs=["parameters"]))) == [0, 1, 5]
    assert numbers(pareto_front(trials, tune(costs=["parameters", "kilobytes"]))) == [0, 1, 4, 5]
    assert numbers(pareto_front(trials, tune())) == [0, 5]


def test_the_front_of_a_loss_has_the_lowest() -> None:
    trials = complete((0.9, 100), (0.8, 50), (0.3, 100), (0.2, 120), metric="log_loss")
    assert numbers(pareto_front(trials, tune("log_loss", costs=["parameters"]))) == [1, 2, 3]


def test_only_complete_trials_are_on_the_front() -> None:
    trials = [Trial(Drawn(0, {}), "pruned"), Trial(Drawn(1, {}), "failed"), *complete((0, 0), (0, 0), (0.5, 9))[2:]]
    assert numbers(pareto_front(trials, tune())) == [2]


def pruned(number: int, *losses: float) -> Trial:
    return Trial(Drawn(number, {}), "pruned", curve=[{"validation_log_loss": loss} for loss in losses])


def test_pruned_trials_take_the_places_that_complete_ones_leave() -> None:
    ended = [*complete((0.5,)), pruned(1, 0.9, 0.8), pruned(2, 0.1), pruned(3, 1.0, 0.7), Trial(Drawn(4, {}), "failed")]
    assert [numbers(finalists(ended, tune(finalists=count))) for count in (1, 2, 3, 9)] == [
        [0],
        [0, 2],
        [0, 2, 3],
        [0, 2, 3, 1],
    ]


def test_a_pruned_trial_may_win_with_fresh_seeds_and_has_no_score_of_the_search() -> None:
    choice = choose([*complete((0.5,)), pruned(1, 0.9)], fresh({0: [0.5, 0.5], 1: [0.75, 0.75]}), tune())
    assert choice == Choice(1, {}, None, 0.75, {0: [0.5, 0.5], 1: [0.75, 0.75]})


@pytest.mark.parametrize(("metric", "expected"), [("accuracy", [3, 1, 2]), ("log_loss", [0, 4, 2])])
def test_finalists_are_the_best_ties_by_number(metric: str, expected: list[int]) -> None:
    trials = complete((0.1,), (0.8,), (0.8,), (0.9,), (0.2,), metric=metric)
    if metric == "log_loss":
        trials = complete((0.1,), (0.8,), (0.5,), (0.9,), (0.2,), metric=metric)
        assert numbers(finalists(trials, tune(metric))) == expected
    else:
        assert numbers(finalists(trials, tune(metric, finalists=2))) == [3, 0]  # the own values take a place
        assert numbers(finalists(trials[1:], tune(metric))) == expected


def test_the_values_of_the_file_are_a_finalist_of_two_or_more() -> None:
    trials = complete((0.1,), (0.8,), (0.9,), (0.85,))
    assert [numbers(finalists(trials, tune(finalists=count))) for count in (0, 1, 2, 3, 9)] == [
        [],
        [2],
        [2, 0],
        [2, 3, 0],
        [2, 3, 1, 0],
    ]


def test_finalists_of_a_front_are_those_that_the_rule_could_take() -> None:
    scores = [(0.5, 1), (0.9, 100), (0.895, 50), (0.892, 20), (0.7, 10), (0.895, 60)]
    trials, rule = complete(*scores), tune(costs=["parameters"], tolerance=0.01, finalists=9)
    assert numbers(finalists(trials, rule)) == [1, 3, 2, 4, 0, 5]  # the last one is beaten
    assert numbers(finalists(trials, tune(costs=["parameters"], tolerance=0.01, finalists=2))) == [1, 0]


def test_fresh_seeds_are_fresh() -> None:
    train = small_params().train
    seeds = fresh_seeds(tune(fresh_seeds=50), train)
    assert len({*seeds, train.seed}) == 51 and seeds[:3] == fresh_seeds(tune(fresh_seeds=3), train)
    drawn = train.model_copy(update={"seed": seeds[1]})
    assert fresh_seeds(tune(fresh_seeds=3), drawn) == [seeds[0], *seeds[2:4]]
    assert not {*seeds} & {*fresh_seeds(tune(fresh_seeds=50, seed=1), train)}


def test_fresh_scores_alone_decide() -> None:
    trials = complete((0.7,), (0.99,), (0.8,))
    choice = choose(trials, fresh({1: [0.5, 0.75], 2: [0.75, 1.0], 0: [0.5, 0.5]}), tune())
    scores = {0: [0.5, 0.5], 1: [0.5, 0.75], 2: [0.75, 1.0]}
    assert choice == Choice(2, {"train": {"batch_size": 2}}, 0.8, 0.875, scores)


def test_the_lowest_loss_wins_and_a_tie_goes_to_the_lower_number() -> None:
    trials = complete((0.3,), (0.2,), (0.1,), metric="log_loss")
    assert choose(trials, fresh({2: [0.5], 1: [0.25], 0: [0.25]}, "log_loss"), tune("log_loss")).number == 0


@pytest.mark.parametrize(
    ("metric", "scores", "tolerance", "expected"),
    [
        ("accuracy", [0.9, 0.89, 0.8], 0.01, 1),  # exactly at the limit
        ("accuracy", [0.9, 0.889, 0.8], 0.01, 0),
        ("accuracy", [0.9, 0.89, 0.8], 0.1, 2),
        ("log_loss", [0.3, 0.31, 0.4], 0.01, 1),
        ("log_loss", [0.3, 0.311, 0.4], 0.01, 0),
        ("log_loss", [0.3, 0.31, 0.4], 0.1, 2),
    ],
)
def test_the_cheapest_within_the_tolerance_wins(
    metric: str, scores: list[float], tolerance: float, expected: int
) -> None:
    rule = tune(metric, costs=["parameters"], tolerance=tolerance)
    costs = {0: 100.0, 1: 50.0, 2: 10.0}
    trials = complete(*((0.5, costs[number]) for number in costs), metric=metric)
    runs = fresh({number: [score] for number, score in enumerate(scores)}, metric, costs)
    assert choose(trials, runs, rule).number == expected
    searched = complete(*zip(scores, costs.values(), strict=True), metric=metric)
    alone = choose(searched, [], rule)  # without finalists the search's own scores
    assert (alone.number, alone.search_score, alone.fresh_score, alone.fresh) == (expected, scores[expected], None, {})


def test_of_equally_cheap_ones_the_better_wins() -> None:
    runs = fresh({0: [0.9], 1: [0.892], 2: [0.895]}, costs={0: 100, 1: 50, 2: 50})
    assert choose(complete((0, 1), (0, 1), (0, 1)), runs, tune(costs=["parameters"])).number == 2


def test_a_setting_that_gave_no_model_with_a_fresh_seed_is_out() -> None:
    trials, nan = complete((0.7,), (0.9,)), float("nan")
    choice = choose(trials, fresh({1: [0.99, nan], 0: [0.6, 0.6]}), tune())
    assert choice.number == 0 and choice.fresh == {0: [0.6, 0.6], 1: []}
    with pytest.raises(UserError, match="each of the 2 finalists failed with a fresh seed"):
        choose(trials, fresh({1: [0.99, nan], 0: [nan, 0.6]}), tune())
