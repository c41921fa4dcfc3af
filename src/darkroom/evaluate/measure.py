"""The model on each split."""

from typing import TYPE_CHECKING

import pandas as pd

from darkroom.examples.pixels import Examples
from darkroom.examples.predictions import Predictions, predict_split
from darkroom.examples.sampling import sample_train
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras


def measured_splits(splits: pd.DataFrame, params: DeclaredParams) -> pd.DataFrame:
    """Return the table of splits; where only a step is tried, the pictures after the first batch have no copies."""
    if params.debug.mode != "step":
        return splits
    first = splits.groupby("split").cumcount() < params.train.batch_size
    return splits.assign(copies=splits["copies"].where(first, 0))


def measure(network: "keras.Model", data: dict[str, Examples], batch_size: int) -> dict[str, Predictions]:
    """Return the answers on each split; of a large train split on as many pictures as train measured."""
    measured = {name: sample_train(part) if name == "train" else part for name, part in data.items()}
    return {name: predict_split(network, name, part, batch_size) for name, part in measured.items()}
