"""Intervals at 95 %."""

import numpy as np

TAIL = 0.025  # of each side
DEVIATIONS = 1.959963984540054  # of the normal distribution, beyond which TAIL lies


def percentile_interval(values: np.ndarray) -> np.ndarray:
    """Return the 2.5 and 97.5 % quantiles (..., 2) of drawn values (..., draws), NaN left out.

    They are interpolated linearly, as `numpy.nanquantile` does; NaN where no draw has a value.
    """
    ordered = np.sort(values, axis=-1)  # NaN comes last
    known = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    position = np.maximum(known - 1, 0) * np.array([TAIL, 1 - TAIL])
    below = np.floor(position).astype(np.int64)
    low = np.take_along_axis(ordered, below, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(below + 1, np.maximum(known - 1, 0)), axis=-1)
    return np.asarray(low + (high - low) * (position - below))


def all_or_none_interval(shares: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the exact interval (..., 2) of shares (...) that are 0 or 1, seen in independent trials (...).

    C. Clopper, E. Pearson, The use of confidence or fiducial limits, 1934. NaN where there was no trial.
    """
    trials = np.asarray(trials, np.float64)
    edge = np.power(TAIL, np.divide(1, trials, out=np.full_like(trials, np.nan), where=trials > 0))
    all_right, none_right = np.stack([edge, edge**0], axis=-1), np.stack([0 * edge, 1 - edge], axis=-1)
    return np.where(np.asarray(shares)[..., None] == 1, all_right, none_right)


def wilson_interval(right: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the interval (..., 2) of the shares of right ones (...) among independent trials (...), at least one each.

    E. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    right, trials, square = np.asarray(right, np.float64), np.asarray(trials, np.float64), DEVIATIONS**2
    centre = (right + square / 2) / (trials + square)
    spread = DEVIATIONS * np.sqrt(right * (trials - right) / trials + square / 4) / (trials + square)
    return np.asarray(np.clip(np.stack([centre - spread, centre + spread], axis=-1), 0, 1))
