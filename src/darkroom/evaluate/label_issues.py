"""Labels that are suspected to be wrong."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def label_issues(
    image_ids: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], paths: pd.Series
) -> pd.DataFrame:
    """Return a row for each suspected picture: image_id, path, label, suggested, confidence, lowest first.

    `image_ids` (n,) str, `labels` (n,) int, `probabilities` (n, classes) of a model that has not seen these pictures,
    `paths`: by image_id. Confident learning: a class is possible where its probability reaches the mean that it has on
    its own pictures; a picture whose most probable possible class is not its label is suspected. `confidence` is the
    probability of the label. Source: C. Northcutt, L. Jiang, I. Chuang, Confident Learning, 2021, arXiv:1911.00068.
    """
    given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    possible = np.where(probabilities >= class_confidence(given, labels, len(classes)), probabilities, -1.0)
    suggested = possible.argmax(axis=1)
    (rows,) = np.nonzero((possible.max(axis=1) >= 0) & (suggested != labels))
    names = np.array(classes, dtype=object)
    found = {
        "image_id": image_ids[rows],
        "path": paths.loc[image_ids[rows]].to_numpy(),
        "label": names[labels[rows]],
        "suggested": names[suggested[rows]],
        "confidence": given[rows],
    }
    return pd.DataFrame(found).sort_values(["confidence", "image_id"], ignore_index=True)


def class_confidence(given: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the mean probability (classes,) of each class on the pictures that have its label; infinity without any.

    `given` (n,): the probability of each picture's label.
    """
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, given, minlength=classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
