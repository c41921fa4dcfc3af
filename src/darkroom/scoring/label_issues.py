"""Labels that are suspected to be wrong."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def label_issues(
    image_ids: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], paths: pd.Series
) -> pd.DataFrame:
    """Return a row for each suspected picture: image_id, path, label, suggested, confidence, lowest first.

    `image_ids` (n,) str, `labels` (n,) int, `probabilities` (n, classes) of a model that has not seen these pictures,
    `paths`: by image_id. A picture is suspected when another class is the most probable one and its label has less
    than an equal share, 1 / classes. `confidence` is the probability of the label, the self-confidence of C. Northcutt,
    L. Jiang, I. Chuang, Confident Learning, 2021, arXiv:1911.00068. Their other rule, a class
    counts where it reaches its mean self-confidence, finds fewer planted errors (benchmarks/planted_errors.py).
    """
    confidence = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    suggested = probabilities.argmax(axis=1)
    (rows,) = np.nonzero((suggested != labels) & (confidence < 1 / len(classes)))
    names = np.array(classes, dtype=object)
    found = {
        "image_id": image_ids[rows],
        "path": paths.loc[image_ids[rows]].to_numpy(),
        "label": names[labels[rows]],
        "suggested": names[suggested[rows]],
        "confidence": confidence[rows],
    }
    return pd.DataFrame(found).sort_values(["confidence", "image_id"], ignore_index=True)
