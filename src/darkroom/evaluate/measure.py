"""The network on each split: probabilities, and the features of its last layer."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.decision.rule import Rule
from darkroom.examples.metrics import require_finite
from darkroom.examples.pixels import Examples
from darkroom.examples.predictions import Predictions
from darkroom.examples.sampling import sample_train
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras


PIXELS_AT_ONCE = 2**21  # bounds the memory of a network's activations: 41 pictures of 224 pixels


@dataclass(frozen=True)
class Measured:
    """What a network gives on a split: its pictures, the answers, and features (n, features) float32."""

    examples: Examples
    answers: Predictions
    features: np.ndarray

    def calibrated(self, rule: Rule) -> "Measured":
        """Return the same with calibrated probabilities."""
        probabilities = rule.calibrate(self.answers.probabilities)
        return replace(self, answers=replace(self.answers, probabilities=probabilities))


def pictures_at_once(params: DeclaredParams) -> int:
    """Return how many pictures the network answers at once: `evaluate.batch_size`, and fewer of large ones."""
    return max(1, min(params.evaluate.batch_size, PIXELS_AT_ONCE // params.image.size**2))


def measured_splits(splits: pd.DataFrame, params: DeclaredParams) -> pd.DataFrame:
    """Return the table of splits; where only a step is tried, the pictures after the first batch have no copies."""
    if params.debug.mode != "step":
        return splits
    first = splits.groupby("split").cumcount() < params.train.batch_size
    return splits.assign(copies=splits["copies"].where(first, 0))


def measure(network: "keras.Model", data: dict[str, Examples], batch_size: int) -> dict[str, Measured]:
    """Return what a network of models.features.with_features gives on each split; raises Diverged.

    A large train split is measured on as many pictures as train measured.
    """
    return {
        name: _measure_split(network, name, sample_train(part) if name == "train" else part, batch_size)
        for name, part in data.items()
    }


def _measure_split(network: "keras.Model", split: str, examples: Examples, batch_size: int) -> Measured:
    from darkroom.examples.batches import Batches

    probabilities, features = network.predict(Batches(examples, batch_size).dataset(), verbose=0)
    answers = Predictions(split, examples.image_ids, examples.labels, require_finite(probabilities), examples.classes)
    return Measured(examples, answers, np.asarray(features))


def with_out_of_fold(measured: dict[str, Measured], table: pd.DataFrame) -> dict[str, Measured]:
    """Return what was measured, on validation with the answers of the networks that did not learn the picture.

    `table` has the columns of tables.ANSWERS. With folds, every picture outside test is one of validation.
    """
    classes = measured["test"].answers.classes
    answers = Predictions(
        "validation",
        table["image_id"].to_numpy(str),
        np.searchsorted(np.array(classes), table["label"].to_numpy(str)).astype(np.int32),
        np.stack(table["probabilities"].to_list()).astype(np.float32),
        classes,
    )
    return {**measured, "validation": replace(measured["validation"], answers=answers)}
