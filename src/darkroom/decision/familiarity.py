"""Whether a picture looks like the training pictures, by its distance from them in the space of features."""

from dataclasses import dataclass

import numpy as np

ROWS_AT_ONCE = 1024
FEW_ROWS = 8  # BLAS is slower for them: its threads divide the work, then wait in loops on cores that others need


@dataclass(frozen=True)
class Familiarity:
    """Features of training pictures, and the distance that is still familiar.

    `reference` (m, features) float32 has rows of length 1; `neighbours` is the number of the nearest one whose
    distance counts. Y. Sun et al., Out-of-distribution detection with deep nearest neighbors, 2022 (arXiv:2204.06507).
    """

    reference: np.ndarray
    neighbours: int
    threshold: float

    def score(self, features: np.ndarray) -> np.ndarray:
        """Return how unfamiliar pictures with these features (n, features) are, (n,) float32: above 1 is too far."""
        return np.asarray(self.distances(features) / self.threshold, np.float32)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Return the distance (n,) float32 to the `neighbours`-th nearest row of the reference, 0 to 2."""
        parts = [features[start : start + ROWS_AT_ONCE] for start in range(0, len(features), ROWS_AT_ONCE)]
        return np.concatenate([self._part(part) for part in parts]) if parts else np.empty(0, np.float32)

    def _part(self, features: np.ndarray) -> np.ndarray:
        rows = unit_rows(features)
        few = len(rows) <= FEW_ROWS
        cosines = np.vecdot(rows[:, None], self.reference) if few else rows @ self.reference.T
        nearest = np.partition(cosines, -self.neighbours, axis=1)[:, -self.neighbours]
        return np.asarray(np.sqrt(np.maximum(2 - 2 * nearest, 0)))


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Return the rows scaled to length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)
