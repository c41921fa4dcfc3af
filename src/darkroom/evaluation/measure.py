"""The model on each split, and on the test split in detail."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from darkroom.data.pixels import Examples
from darkroom.evaluation.metrics import predict, score

LARGEST_TRAIN = 10_000  # pictures: the accuracy is known to a percent then, and all of them would take long


def measure(network: Any, data: dict[str, Examples], batch_size: int) -> tuple[dict[str, Any], np.ndarray]:
    """Return {split: scores} and the probabilities of the test split (pictures, classes).

    Of a large train split every so many pictures are measured; their number stands beside the scores.
    """
    data = {**data, "train": _sample(data["train"])}
    probabilities = {name: predict(network, part, batch_size) for name, part in data.items()}
    scores = {name: {**score(data[name].labels, probabilities[name]), "pictures": len(data[name])} for name in data}
    return scores, probabilities["test"]


def _sample(train: Examples) -> Examples:
    """Return `LARGEST_TRAIN` pictures at most, taken evenly; their order, that of the ids, is as good as drawn."""
    if len(train) <= LARGEST_TRAIN:
        return train
    chosen = np.arange(LARGEST_TRAIN) * len(train) // LARGEST_TRAIN
    return replace(train, rows=train.rows[chosen], labels=train.labels[chosen], weights=None, copies=None)


def prediction_table(ids: pd.Series, test: Examples, probabilities: np.ndarray) -> pd.DataFrame:
    """Return a row for each test picture: image_id, actual, predicted, score."""
    names = np.array(test.classes)
    predicted = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "image_id": ids.to_numpy(),
            "actual": names[test.labels],
            "predicted": names[predicted],
            "score": probabilities.max(axis=1).astype(float),
        }
    )
