"""Two models on the same pictures: the difference of their accuracies, and McNemar's test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.scoring.paired import mcnemar, metric_difference, paired_difference
from darkroom.scoring.scores import score_with_intervals


def test_pairs_narrow_the_difference_and_copies_do_not() -> None:
    generator = np.random.default_rng(8)
    one, other = generator.random(400) < 0.8, generator.random(400) < 0.8
    alike = np.where(np.arange(400) < 40, other, one)
    difference, (low, high) = paired_difference(one, alike, np.arange(400))
    assert difference == pytest.approx(one.mean() - alike.mean()) and low < difference < high
    apart = np.ptp(paired_difference(one, other, np.arange(400))[1])
    assert apart == pytest.approx(2 * 1.96 * (0.32 / 400) ** 0.5, rel=0.2) and high - low < apart / 2
    copied = paired_difference(np.repeat(one, 2), np.repeat(other, 2), np.repeat(np.arange(400), 2))
    assert np.ptp(copied[1]) == pytest.approx(apart)


def test_two_models_that_never_differ_may_differ_on_other_pictures() -> None:
    right = np.ones(50, bool)
    low, high = paired_difference(right, right, np.arange(50))[1]
    assert -0.1 < low < 0 < high < 0.1
    low, high = paired_difference(right, ~right, np.arange(50))[1]
    assert 0.85 < low < 1 and high == pytest.approx(1, abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemars_test_counts_the_coins_that_are_as_unlikely(gained: int, lost: int) -> None:
    one = np.array([True] * gained + [False] * lost + [True, False])
    other = np.array([False] * gained + [True] * lost + [True, False])
    count, fewer = gained + lost, min(gained, lost)
    wanted = min(1.0, 2 * sum(math.comb(count, number) for number in range(fewer + 1)) / 2**count)
    assert mcnemar(one, other) == pytest.approx(wanted)


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "roc_auc", "log_loss"])
def test_a_metric_of_two_models_differs_by_as_much_as_its_scores_and_seldom_by_chance(metric: str) -> None:
    generator = np.random.default_rng(3)
    labels = np.arange(300) % 3
    scores = {}
    for name, noise in (("good", 0.5), ("poor", 2.0), ("as good", 0.5)):
        logits = np.eye(3)[labels] * 2 + generator.normal(0, noise, (300, 3))
        scores[name] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sign = -1 if metric == "log_loss" else 1
    found, (low, high) = metric_difference(metric, labels, scores["good"], scores["poor"], np.arange(300))
    one, other = (score_with_intervals(labels, scores[name], np.arange(300), 2) for name in ("good", "poor"))
    assert found == pytest.approx(one.values[metric] - other.values[metric]) and low < found < high
    assert sign * found > 0 and min(sign * low, sign * high) > 0
    low, high = metric_difference(metric, labels, scores["good"], scores["as good"], np.arange(300))[1]
    assert low <= 0 <= high
    good, poor = (np.tile(scores[name], (2, 1)) for name in ("good", "poor"))
    copied = metric_difference(metric, np.tile(labels, 2), good, poor, np.tile(np.arange(300), 2))
    assert copied[0] == pytest.approx(found, abs=1e-3)
