"""The scores of a model."""

from typing import TYPE_CHECKING

import numpy as np

from darkroom.core.errors import UserError
from darkroom.examples.pixels import Examples

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary


class Diverged(UserError):
    """The network's outputs are not numbers."""


def predict(network: "keras.Model", examples: Examples, batch_size: int, vary: "Vary | None" = None) -> np.ndarray:
    """Return the probabilities (pictures, classes) float32 of `examples`, in their order.

    `vary` changes the pixels of each picture first, as it would in the first epoch of a training. Raises Diverged when
    the probabilities are not numbers.
    """
    from darkroom.examples.batches import Batches

    return require_finite(network.predict(Batches(examples, batch_size, variation=vary).dataset(), verbose=0))


def require_finite(probabilities: np.ndarray) -> np.ndarray:
    """Return the probabilities; raises Diverged when some are not numbers."""
    if not np.isfinite(probabilities).all():
        raise Diverged("the network diverged; lower train.learning_rate", 1)
    return np.asarray(probabilities)


def score(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return accuracy, precision, recall and F1 (macro and weighted), ROC AUC and log loss.

    `labels`: (n,) int, an index of the class; `probabilities`: (n, classes). ROC AUC is that of the second class
    when there are two, else the mean of each class against the rest, over the classes that occur (and NaN when
    fewer than two do). Precision of a class that is never predicted counts as 0.
    """
    from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

    classes = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    scores = {"accuracy": accuracy_score(labels, predicted)}
    for average in ("macro", "weighted"):
        values = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        scores |= dict(zip((f"precision_{average}", f"recall_{average}", f"f1_{average}"), values[:3], strict=True))
    scores["roc_auc"] = _roc_auc(labels, probabilities)
    normal = probabilities.astype(np.float64)
    scores["log_loss"] = log_loss(labels, normal / normal.sum(axis=1, keepdims=True), labels=classes)
    return {name: float(value) for name, value in scores.items()}


def _roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    present = np.unique(labels)
    if len(present) < 2:
        return float("nan")
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(labels, probabilities[:, 1]))
    return float(np.mean([roc_auc_score(labels == label, probabilities[:, label]) for label in present]))


def score_split(network: "keras.Model", examples: Examples, batch_size: int) -> dict[str, float]:
    """Return the scores of one split and its number of pictures; raises Diverged."""
    return {**score(examples.labels, predict(network, examples, batch_size)), "pictures": len(examples)}
