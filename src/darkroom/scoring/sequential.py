"""Statistics that may be looked at after every picture: a decision at any look keeps its probability of error."""

from dataclasses import dataclass

import numpy as np

EXPECTED_VARIANCE = 0.1  # of right or wrong of one answer, or of the difference of two; intervals hold for any other
LARGEST = 700.0  # exponent of a float64
MOST_PICTURES = 10**9


@dataclass(frozen=True)
class Mean:
    """Means (...) of `count` values (...), at least one, of which each has this `variance` (...).

    `expected` (...) is the variance foreseen before any value was seen.
    """

    value: np.ndarray
    variance: np.ndarray
    count: np.ndarray
    expected: np.ndarray

    def half_width(self, alpha: float, difference: float) -> np.ndarray:
        """Return half the width (...) of the interval, see `half_width`."""
        return half_width(self.count, self.variance, self.expected, alpha, difference)


def paired_mean(wins: np.ndarray | int, losses: np.ndarray | int, pairs: np.ndarray | float) -> Mean:
    """Return how much more often a model is right than another (...) on the same pictures, of which each counts once.

    Of `pairs` (...), at least one, one model alone has `wins` right and the other alone `losses`.
    """
    value, changed = np.divide(np.subtract(wins, losses), pairs), np.divide(np.add(wins, losses), pairs)
    return Mean(value, changed - value**2, np.asarray(pairs), np.asarray(EXPECTED_VARIANCE))


def split_mean(
    right: np.ndarray | int, count: np.ndarray | int, other_right: np.ndarray | int, other_count: np.ndarray | int
) -> Mean:
    """Return how much more often a model is right than another (...) on other pictures, each drawn by chance.

    The answers of both, at least one each, are the values; each weighs the more, the fewer there are of its kind. One
    right and one wrong answer more count for the variance, or a few that are all right would have none.
    """
    total = np.add(count, other_count)
    weights = total / np.asarray(count), total / np.asarray(other_count)
    variance = weights[0] * _variance(right, count) + weights[1] * _variance(other_right, other_count)
    value = np.divide(right, count) - np.divide(other_right, other_count)
    return Mean(value, variance, total, EXPECTED_VARIANCE * (weights[0] + weights[1]))


def _variance(right: np.ndarray | int, count: np.ndarray | int) -> np.ndarray:
    share = np.add(right, 1) / np.add(count, 2)
    return np.asarray(share * (1 - share))


def rate_mean(right: np.ndarray | int, count: np.ndarray | int) -> Mean:
    """Return the rate of right answers (...) among `count` (...), at least one."""
    return Mean(np.divide(right, count), _variance(right, count), np.asarray(count), np.asarray(EXPECTED_VARIANCE))


def half_width(
    count: np.ndarray, variance: np.ndarray | float, expected: np.ndarray | float, alpha: float, difference: float
) -> np.ndarray:
    """Return half the width (...) of an interval that holds a mean at all times at once, but for probability alpha.

    An asymptotic confidence sequence: I. Waudby-Smith et al., Time-uniform central limit theory and asymptotic
    confidence sequences, 2021. The deviation of its normal mixture finds a mean of `difference` soonest if the variance
    is the `expected` one. Where no value differs from another the interval is no point: it shrinks as 1 / count.
    """
    rho = difference / np.asarray(expected)
    total = count * variance * rho**2 + 1
    return np.asarray(np.sqrt(2 * total * np.log(np.sqrt(total) / alpha)) / (count * rho))


def paired_e_value(wins: np.ndarray | float, losses: np.ndarray | float) -> np.ndarray:
    """Return the evidence (...) against two models being equally accurate, from pictures that one alone has right.

    If they are, `wins` (...) are as likely as `losses` (...), and the chance that this ever reaches 1 / alpha, at
    whatever number of looks, is at most alpha: it is the likelihood under a Beta(1/2, 1/2) mixture of coins over that
    of a fair one, a martingale with mean 1. H. Robbins, Statistical methods related to the law of the iterated
    logarithm, 1970.
    """
    from scipy.special import betaln

    wins, losses = np.asarray(wins, np.float64), np.asarray(losses, np.float64)
    log = betaln(0.5 + wins, 0.5 + losses) - betaln(0.5, 0.5) + (wins + losses) * np.log(2)
    return np.asarray(np.exp(np.minimum(log, LARGEST)))


def pictures_for_interval(variance: float, expected: float, alpha: float, difference: float) -> int:
    """Return how many values it takes until the interval is as narrow as `difference` on either side.

    By then half of the means that are `difference` or 0 are told from the other one: more than the median, for a look
    on the way may have told them already.
    """
    counts = _counts()
    return _first(counts, half_width(counts, variance, expected, alpha, difference) <= difference)


def pictures_for_e_value(disagreement: float, alpha: float, difference: float) -> int:
    """Return how many pairs it takes until the e-value of the expected wins and losses reaches 1 / alpha.

    One model is better by `difference`, and one alone is right on the share `disagreement` of the pairs.
    """
    counts, changed = _counts(), max(disagreement, difference)
    evidence = paired_e_value(counts * (changed + difference) / 2, counts * (changed - difference) / 2)
    return _first(counts, evidence >= 1 / alpha)


def _counts() -> np.ndarray:
    return np.unique(np.geomspace(1, MOST_PICTURES, 8000).astype(np.int64))


def _first(counts: np.ndarray, met: np.ndarray) -> int:
    """Return the count from which on it is met; the largest where it never is."""
    unmet = np.flatnonzero(~met)
    return int(counts[min(unmet[-1] + 1, len(counts) - 1)]) if len(unmet) else int(counts[0])
