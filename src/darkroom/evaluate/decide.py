"""What validation teaches about answers: the temperature, the threshold of the sets, the distance that is familiar."""

import math

import numpy as np

from darkroom.decision.familiarity import Familiarity, unit_rows
from darkroom.decision.rule import SMALLEST, Rule
from darkroom.examples.sampling import evenly

BOUNDS = (math.log(0.1), math.log(10.0))  # of the temperature's logarithm
NEIGHBOURS = 10
LEVELS = (*(percent / 100 for percent in range(1, 100)), 0.995, 0.999)  # of the sets that a request may ask for
REFERENCE_ROWS = 2000  # of training pictures, at most
REFERENCE_BYTES = 8_000_000  # of their features, as they are saved
FAMILIAR = 0.99  # share of the validation pictures that count as familiar


def fit_rule(labels: np.ndarray, probabilities: np.ndarray, level: float) -> Rule:
    """Return the rule that validation's labels (n,) int and probabilities (n, classes) give for a coverage `level`."""
    temperature = fit_temperature(labels, probabilities)
    calibrated = Rule(temperature, level, 0.0).calibrate(probabilities)
    own = calibrated[np.arange(len(labels)), labels]
    thresholds = tuple((other, conformal_threshold(own, other)) for other in LEVELS)
    return Rule(temperature, level, conformal_threshold(own, level), thresholds)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature with the lowest log loss; see Rule.calibrate.

    A weak prior, the standard normal distribution of its logarithm, keeps it finite where no answer is wrong.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    own = logits[np.arange(len(labels)), labels]

    def loss(logarithm: float) -> float:
        scale = math.exp(-logarithm)
        return float((logsumexp(logits * scale, axis=1) - own * scale).sum() + logarithm**2 / 2)

    return math.exp(minimize_scalar(loss, bounds=BOUNDS, method="bounded", options={"xatol": 1e-5}).x)


def conformal_threshold(own: np.ndarray, level: float) -> float:
    """Return the probability that a class needs to be in a set which holds the right class with probability `level`.

    `own` (n,) are the probabilities of the right classes of pictures the network has not learnt. 0 when they are too
    few (see `pictures_needed`). Split conformal prediction: V. Vovk et al., 2005; Rule.sets names the sets' source.
    """
    rank = math.ceil((len(own) + 1) * level)
    return float(np.sort(own)[len(own) - rank]) if rank <= len(own) else 0.0


def pictures_needed(level: float) -> int:
    """Return how many validation pictures a promise of `level` needs at least."""
    return math.ceil(round(level / (1 - level), 6))


def fit_familiarity(train: np.ndarray, validation: np.ndarray) -> Familiarity:
    """Return what tells unfamiliar pictures, from features of train (m, features) and validation (n, features)."""
    rows = min(len(train), REFERENCE_ROWS, max(REFERENCE_BYTES // (2 * train.shape[1]), 1))
    reference = unit_rows(train[evenly(len(train), rows)]).astype(np.float16).astype(np.float32)  # as it is saved
    unscaled = Familiarity(reference, min(NEIGHBOURS, rows), 1.0)
    threshold = float(np.quantile(unscaled.distances(validation), FAMILIAR, method="higher"))
    return Familiarity(reference, unscaled.neighbours, max(threshold, 1e-6))
