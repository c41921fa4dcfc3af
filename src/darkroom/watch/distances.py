"""How far some pictures are from others, for many divisions of the same pictures at once."""

from collections.abc import Iterator

import numpy as np

Distances = np.ndarray  # (divisions,) float64
ROWS_AT_ONCE = 256  # divisions that are counted at a time, so that memory stays small


def stability_index(codes: np.ndarray, chosen: np.ndarray) -> Distances:
    """Return the population stability index of the classes `codes` (n,) int between the chosen pictures and the rest.

    `chosen` (divisions, n) bool. Half a picture is added to each class, so that an absent one counts finitely.
    S. Siddiqi, Credit risk scorecards, 2006.
    """
    classes = np.eye(codes.max() + 1, dtype=np.float32)[codes]
    there = np.concatenate([some.astype(np.float32) @ classes for some in _blocks(chosen)])
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
    if not gaps.any():  # such as the width of pictures that are all of one size
        return np.zeros(len(chosen))
    found, every = [], np.arange(1, len(values))
    for some in _blocks(chosen):
        now = some[:, order].cumsum(axis=1, dtype=np.int32)
        count = now[:, -1:].astype(np.float64)
        rest = len(values) - count
        apart = now[:, :-1] * (1 / count + 1 / rest)
        apart -= every / rest
        found.append(np.abs(apart, out=apart) @ gaps)
    return np.concatenate(found)


def kernel_discrepancy(points: np.ndarray, chosen: np.ndarray) -> Distances:
    """Return the maximum mean discrepancy of `points` (n, numbers) between the chosen pictures and the rest.

    `chosen` (divisions, n) bool. The kernel is a Gaussian with the median distance as its width.
    A. Gretton et al., A kernel two-sample test, JMLR 13, 2012.
    """
    kernel = _gaussian_kernel(points.astype(np.float32))
    found = []
    for some in _blocks(chosen):
        count = some.sum(axis=1, keepdims=True)
        weights = np.where(some, 1 / count, -1 / (len(points) - count)).astype(np.float32)
        found.append(((weights @ kernel) * weights).sum(axis=1, dtype=np.float64))
    return np.asarray(np.sqrt(np.maximum(np.concatenate(found), 0)))


def _gaussian_kernel(points: np.ndarray) -> np.ndarray:
    """Return the kernel (n, n) float32; in place, because n may be thousands."""
    squares = np.square(points).sum(axis=1)
    kernel: np.ndarray = points @ points.T
    kernel *= -2
    kernel += squares
    kernel += squares[:, None]
    np.maximum(kernel, 0, out=kernel)
    kernel /= -max(float(np.median(kernel)), 1e-12)
    np.exp(kernel, out=kernel)
    return kernel


def _blocks(chosen: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(chosen), ROWS_AT_ONCE):
        yield chosen[start : start + ROWS_AT_ONCE]
