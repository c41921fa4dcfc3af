"""How far some pictures are from others, for many divisions of the same pictures at once."""

import numpy as np

Distances = np.ndarray  # (divisions,) float64
ROWS_AT_ONCE = 256  # divisions whose cumulated counts are in memory


def stability_index(codes: np.ndarray, chosen: np.ndarray) -> Distances:
    """Return the population stability index of the classes `codes` (n,) int between the chosen pictures and the rest.

    `chosen` (divisions, n) bool. Half a picture is added to each class, so that an absent one counts finitely.
    S. Siddiqi, Credit risk scorecards, 2006.
    """
    classes = np.eye(codes.max() + 1, dtype=np.float32)[codes]
    there = chosen.astype(np.float32) @ classes
    shares = []
    for counts in (there, classes.sum(axis=0) - there):
        smoothed = counts.astype(np.float64) + 0.5
        shares.append(smoothed / smoothed.sum(axis=1, keepdims=True))
    now, before = shares
    return np.asarray(((now - before) * np.log(now / before)).sum(axis=1))


def wasserstein(values: np.ndarray, chosen: np.ndarray) -> Distances:
    """Return the Wasserstein distance, in the unit of `values` (n,), between the chosen pictures and the rest.

    `chosen` (divisions, n) bool. It is the area between the two distribution functions.
    """
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order].astype(np.float64))
    found = []
    for start in range(0, len(chosen), ROWS_AT_ONCE):
        some = chosen[start : start + ROWS_AT_ONCE, order]
        now, every = some.cumsum(axis=1)[:, :-1], np.arange(1, len(values))
        count = some.sum(axis=1, keepdims=True)
        found.append(np.abs(now / count - (every - now) / (len(values) - count)) @ gaps)
    return np.concatenate(found)


def kernel_discrepancy(points: np.ndarray, chosen: np.ndarray) -> Distances:
    """Return the maximum mean discrepancy of `points` (n, numbers) between the chosen pictures and the rest.

    `chosen` (divisions, n) bool. The kernel is a Gaussian with the median distance as its width.
    A. Gretton et al., A kernel two-sample test, JMLR 13, 2012.
    """
    squares = np.square(points).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    kernel = np.exp(-apart / max(float(np.median(apart)), 1e-12)).astype(np.float32)
    count = chosen.sum(axis=1, keepdims=True)
    weights = np.where(chosen, 1 / count, -1 / (len(points) - count)).astype(np.float32)
    squared = ((weights @ kernel) * weights).sum(axis=1, dtype=np.float64)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
