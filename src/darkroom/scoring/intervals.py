"""Intervals at 95 %."""

import numpy as np

TAIL = 0.025  # of each side
DEVIATIONS = 1.959963984540054  # of the normal distribution, beyond which TAIL lies
FEW = 3  # groups of errors: with fewer, how much a score varies is mostly assumed


def percentile_interval(values: np.ndarray) -> np.ndarray:
    """Return the 2.5 and 97.5 % quantiles (2,) of drawn values (draws,), NaN left out; NaN where all are."""
    known = values[np.isfinite(values)]
    return np.quantile(known, [TAIL, 1 - TAIL]) if len(known) else np.full(2, np.nan)


def all_or_none_interval(shares: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the exact interval (..., 2) of shares (...) that are 0 or 1, seen in independent trials (...).

    C. Clopper, E. Pearson, The use of confidence or fiducial limits, 1934. NaN where there was no trial.
    """
    trials = np.asarray(trials, np.float64)
    edge = np.power(TAIL, np.divide(1, trials, out=np.full_like(trials, np.nan), where=trials > 0))
    all_right, none_right = np.stack([edge, edge**0], axis=-1), np.stack([0 * edge, 1 - edge], axis=-1)
    return np.where(np.asarray(shares)[..., None] == 1, all_right, none_right)


def share_interval(value: np.ndarray, drawn: np.ndarray, groups: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """Return the interval (..., 2) of scores from 0 to 1 (...) that vary as their draws (..., draws) do.

    It is Wilson's, of as many trials as would make a share vary as much: near 0 and 1 the quantiles of the draws lie
    to one side of what is possible, and hold too few of the truths. `mixed` (...) is the number of groups that tell how
    much a score varies: those with errors, or those without, whichever are fewer. Where they are few, it counts for
    more that groups may be all right or all wrong, as independent trials are, of which there are `groups` (...).
    At 0 and 1 it is the exact interval of so many trials; NaN without any.
    """
    value, mixed = np.asarray(value, np.float64), np.asarray(mixed, np.float64)
    inside = (value > 0) & (value < 1)
    share = value * (1 - value)
    found = _variance(drawn)
    whole = np.maximum(share / np.maximum(groups, 1), found)
    variance = (mixed * found + FEW * whole) / (mixed + FEW)
    size = np.divide(share, variance, out=np.ones_like(share), where=inside)
    return np.where(
        inside[..., None], wilson_interval(value * size, size), all_or_none_interval(np.round(value), groups)
    )


def _variance(values: np.ndarray) -> np.ndarray:
    """Return the variance (...) of values (..., draws), NaN left out; 0 without any."""
    known = np.isfinite(values)
    count, kept = np.maximum(known.sum(axis=-1), 1), np.where(known, values, 0)
    gaps = kept - np.where(known, (kept.sum(axis=-1) / count)[..., None], 0)
    return np.asarray((gaps**2).sum(axis=-1) / count)


def wilson_interval(right: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the interval (..., 2) of the shares of right ones (...) among independent trials (...), at least one each.

    E. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    right, trials, square = np.asarray(right, np.float64), np.asarray(trials, np.float64), DEVIATIONS**2
    centre = (right + square / 2) / (trials + square)
    spread = DEVIATIONS * np.sqrt(right * (trials - right) / trials + square / 4) / (trials + square)
    return np.asarray(np.clip(np.stack([centre - spread, centre + spread], axis=-1), 0, 1))
