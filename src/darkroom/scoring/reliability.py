"""Whether probabilities are what they say."""

import numpy as np
import pandas as pd

from darkroom.scoring.bootstrap import DRAWS_AT_ONCE
from darkroom.scoring.intervals import TAIL, wilson_interval


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Return the calibration error of the top label: root of the mean squared gap of confidence and accuracy, debiased.

    `confidence` (n,) float is the probability of what is predicted, `correct` (n,) bool whether it is true. The square
    is estimated in bins of equal mass, less what chance adds to it; 0 when that is negative. A. Kumar, P. Liang, T. Ma,
    Verified uncertainty calibration, 2019 (arXiv:1909.10155).
    """
    order, starts = _bins(confidence, bins)
    return float(_errors(confidence[order], correct[None, order], starts)[0])


def calibrated_band(
    confidence: np.ndarray, groups: np.ndarray, draws: int = 1000, seed: int = 0, bins: int = 15
) -> tuple[float, float]:
    """Return the 2.5 and 97.5 % quantiles of the calibration error of a calibrated model with these confidences (n,).

    Whether an answer is right is drawn `draws` times from its confidence, by one chance for all pictures of a group
    (`groups` (n,)), as for copies of one picture. An error above the band is no chance.
    """
    order, starts = _bins(confidence, bins)
    members = np.unique(groups, return_inverse=True)[1]
    ordered, generator, drawn = confidence[order].astype(np.float64), np.random.default_rng(seed), []
    for start in range(0, draws, DRAWS_AT_ONCE):
        chance = generator.random((min(DRAWS_AT_ONCE, draws - start), members.max() + 1))
        drawn.append(_errors(ordered, chance[:, members[order]] < ordered, starts))
    low, high = np.quantile(np.concatenate(drawn), [TAIL, 1 - TAIL])
    return float(low), float(high)


def reliability_table(confidence: np.ndarray, correct: np.ndarray, groups: np.ndarray, bins: int = 15) -> pd.DataFrame:
    """Return a row for each bin of equal mass, by rising confidence: confidence, accuracy, low, high, pictures.

    The two first are means over the bin's pictures; low and high are the 95 % interval of accuracy, Wilson's of as many
    trials as there are groups (`groups` (n,)) in the bin.
    """
    order, starts = _bins(confidence, bins)
    pictures = np.diff(starts, append=len(order))
    accuracy = np.add.reduceat(correct[order].astype(np.int64), starts) / pictures
    trials = np.array([len(np.unique(part)) for part in np.split(groups[order], starts[1:])])
    low, high = wilson_interval(accuracy * trials, trials).T
    means = np.add.reduceat(confidence[order].astype(np.float64), starts) / pictures
    return pd.DataFrame({"confidence": means, "accuracy": accuracy, "low": low, "high": high, "pictures": pictures})


def _bins(confidence: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """The order (n,) of rising confidence, and where each bin starts in it; equal confidences share a bin."""
    order = np.argsort(confidence, kind="stable")
    ordered = confidence[order]
    bins = min(bins, max(len(ordered) // 2, 1))  # what chance adds is not known from a bin of one picture
    cuts = np.arange(bins) * len(ordered) // bins
    return order, np.unique(np.searchsorted(ordered, ordered[cuts]))


def _errors(confidence: np.ndarray, correct: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The errors (draws,) of outcomes (draws, n) bool; pictures by rising confidence."""
    pictures = np.diff(starts, append=len(confidence))
    means = np.add.reduceat(confidence.astype(np.float64), starts) / pictures
    accuracy = np.add.reduceat(correct, starts, axis=1, dtype=np.int64) / pictures
    by_chance = accuracy * (1 - accuracy) / np.maximum(pictures - 1, 1)  # of one picture it is 0 in any case
    squares = ((accuracy - means) ** 2 - by_chance) @ pictures / len(confidence)
    return np.asarray(np.sqrt(np.maximum(squares, 0)))
