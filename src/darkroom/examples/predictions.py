"""What a network answers on the pictures of a split."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.examples.metrics import predict, score
from darkroom.examples.pixels import Examples

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary


@dataclass(frozen=True)
class Predictions:
    """The answers on a split: `image_ids` (n,) str, `labels` (n,) int32, `probabilities` (n, classes) float32.

    A label is an index into `classes`, the names in the order of the network's outputs.
    """

    split: str
    image_ids: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each picture (n,) int64; the first of equals."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def scores(self) -> dict[str, float]:
        """Return the scores (`metrics.score`) and the number of pictures."""
        return {**score(self.labels, self.probabilities), "pictures": len(self)}

    def table(self) -> pd.DataFrame:
        """Return a row for each picture: tables.ANSWERS."""
        names = np.array(self.classes)
        return pd.DataFrame(
            {
                "image_id": self.image_ids,
                "split": self.split,
                "label": names[self.labels],
                "predicted": names[self.predicted],
                "probabilities": list(self.probabilities.astype(np.float32)),
            }
        )


def predict_split(
    network: "keras.Model", split: str, examples: Examples, batch_size: int, vary: "Vary | None" = None
) -> Predictions:
    """Return the answers on a split, its pictures varied by `vary`; raises Diverged."""
    probabilities = predict(network, examples, batch_size, vary)
    return Predictions(split, examples.image_ids, examples.labels, probabilities, examples.classes)


def joined(parts: list[Predictions]) -> Predictions:
    """Return several answers as one, of the first one's split."""
    ids, labels, probabilities = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("image_ids", "labels", "probabilities")
    )
    return Predictions(parts[0].split, ids, labels, probabilities, parts[0].classes)


def answers_table(parts: Iterable[Predictions]) -> pd.DataFrame:
    """Return the answers on several splits in one table, sorted by image_id."""
    return pd.concat([part.table() for part in parts]).sort_values("image_id", ignore_index=True)
