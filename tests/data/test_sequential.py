"""Looks without end: false alarms stay rare, real differences are found when predicted."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from darkroom.scoring.sequential import (
    EXPECTED_VARIANCE,
    Mean,
    paired_e_value,
    paired_mean,
    pictures_for_e_value,
    pictures_for_interval,
    rate_mean,
    split_mean,
)

ALPHA, POINTS, DAYS, DAILY = 0.05, 0.02, 60, 100


def pairs(difference: float, runs: int, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return wins and losses (runs, days) until each day, 10 % together, and the pairs (days,)."""
    generator = np.random.default_rng(0)
    chances = (0.1 + difference) / 2, (0.1 - difference) / 2, 0.9
    drawn = generator.multinomial(DAILY, chances, size=(runs, days)).cumsum(axis=1)
    return drawn[..., 0], drawn[..., 1], DAILY * np.arange(1, days + 1)


def halves(share: float, difference: float, runs: int, days: int) -> Mean:
    generator = np.random.default_rng(1)
    count = generator.binomial(DAILY, share, size=(runs, days))
    right = generator.binomial(count, 0.9 + difference).cumsum(axis=1)
    other = generator.binomial(DAILY - count, 0.9).cumsum(axis=1)
    count = np.maximum(count.cumsum(axis=1), 1)  # where there is none, none was right
    return split_mean(right, count, other, DAILY * np.arange(1, days + 1) - count)


def first_day(met: np.ndarray) -> float:
    """Return the median of the first day (from 1) on which it is met; infinity for a run without one."""
    return float(np.median(np.where(met.any(axis=1), met.argmax(axis=1) + 1, np.inf)))


def excludes(mean: Mean, value: float) -> np.ndarray:
    return np.asarray(np.abs(mean.value - value) > mean.half_width(ALPHA, POINTS))


def test_the_e_value_is_the_mixture_over_a_fair_coin() -> None:
    grid = (np.arange(100_000) + 0.5) / 100_000
    for wins, losses in ((0, 0), (3, 1), (2, 9)):
        likelihood = binom.pmf(wins, wins + losses, grid) / binom.pmf(wins, wins + losses, 0.5)
        mixture = np.average(likelihood, weights=beta.pdf(grid, 0.5, 0.5))
        assert paired_e_value(wins, losses) == pytest.approx(mixture, rel=0.01)
    assert np.isfinite(paired_e_value(10**6, 0)) and paired_e_value(5, 2) == paired_e_value(2, 5)


def test_the_e_value_has_mean_one_at_any_time() -> None:
    wins = np.arange(41)
    assert (binom.pmf(wins, 40, 0.5) * paired_e_value(wins, 40 - wins)).sum() == pytest.approx(1)


def test_daily_looks_raise_few_false_alarms() -> None:
    wins, losses, count = pairs(0, 4000, DAYS)
    mean = paired_mean(wins, losses, count)
    plain = np.abs(mean.value) > 1.96 * np.sqrt(mean.variance / count)
    assert plain.any(axis=1).mean() > 0.25
    assert (paired_e_value(wins, losses) >= 1 / ALPHA).any(axis=1).mean() == pytest.approx(0.014, abs=0.006)
    assert 0.005 < excludes(mean, 0).any(axis=1).mean() < ALPHA
    for share in (0.05, 0.5):
        assert excludes(halves(share, 0, 2000, DAYS), 0).any(axis=1).mean() < ALPHA


def test_looks_from_the_first_picture_on_raise_few_as_well() -> None:
    right = (np.random.default_rng(2).random((1000, 400)) < 0.97).cumsum(axis=1)
    assert excludes(rate_mean(right, np.arange(1, 401)), 0.97).any(axis=1).mean() < ALPHA


def test_two_points_are_found_when_predicted() -> None:
    wins, losses, count = pairs(POINTS, 500, 90)
    day = first_day((paired_e_value(wins, losses) >= 1 / ALPHA) & (wins > losses))
    assert day == pytest.approx(27, abs=3)
    assert day <= pictures_for_e_value(0.1, ALPHA, POINTS) / DAILY <= 1.3 * day
    day = first_day(excludes(paired_mean(wins, losses, count), 0))
    assert day <= pictures_for_interval(0.1, EXPECTED_VARIANCE, ALPHA, POINTS) / DAILY <= 1.3 * day


def test_two_points_less_than_hoped_for_are_excluded_when_predicted() -> None:
    wins, losses, count = pairs(0, 500, 60)
    mean = paired_mean(wins, losses, count)
    day = first_day(excludes(mean, POINTS) & (mean.value < POINTS))
    assert day <= pictures_for_interval(0.1, EXPECTED_VARIANCE, ALPHA, POINTS) / DAILY <= 1.3 * day
