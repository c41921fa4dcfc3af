"""The model on each split, and on the test split in detail."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from darkroom.examples.metrics import predict, score
from darkroom.examples.pixels import Examples
from darkroom.params.declared import DeclaredParams

LARGEST_TRAIN = 10_000  # pictures: the accuracy is known to a percent then, and all of them would take long


def measured_splits(splits: pd.DataFrame, params: DeclaredParams) -> pd.DataFrame:
    """Return the table of splits; where only a step is tried, the pictures behind the first batch have no copies."""
    if params.debug.mode != "step":
        return splits
    first = splits.groupby("split").cumcount() < params.train.batch_size
    return splits.assign(copies=splits["copies"].where(first, 0))


def measure(network: Any, data: dict[str, Examples], batch_size: int) -> tuple[dict[str, Any], np.ndarray]:
    """Return {split: scores} and the probabilities of the test split (pictures, classes).

    Of a large train split every so many pictures are measured; their number stands beside the scores.
    """
    data = {**data, "train": sample(data["train"], LARGEST_TRAIN)}
    probabilities = {name: predict(network, part, batch_size) for name, part in data.items()}
    scores = {name: {**score(data[name].labels, probabilities[name]), "pictures": len(data[name])} for name in data}
    return scores, probabilities["test"]


def sample(train: Examples, count: int) -> Examples:
    """Return `count` pictures at most, taken evenly; their order, that of the ids, is as good as drawn."""
    if len(train) <= count:
        return train
    chosen = np.arange(count) * len(train) // count
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
