"""The numbers that say how good a model is."""

from typing import Any

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError


class Diverged(UserError):
    """The network's answers are no numbers any more."""


def predict(network: Any, examples: Any, batch_size: int) -> np.ndarray:
    """Return the probabilities (pictures, classes) float32 of `examples` (examples.pixels.Examples), in their order.

    Raises Diverged when they are no numbers.
    """
    from darkroom.examples.batches import Batches

    probabilities = np.asarray(network.predict(Batches(examples, batch_size), verbose=0))
    if not np.isfinite(probabilities).all():
        raise Diverged("the network diverged; lower train.learning_rate in params.yaml (or tune.space)", 1)
    return probabilities


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
    return float(np.mean([roc_auc_score(labels == one, probabilities[:, one]) for one in present]))


def per_class(labels: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return a row for each class: class, precision, recall, f1, support (pictures)."""
    from sklearn.metrics import precision_recall_fscore_support

    values = precision_recall_fscore_support(labels, predicted, labels=np.arange(len(classes)), zero_division=0)
    return pd.DataFrame(dict(zip(("class", "precision", "recall", "f1", "support"), (classes, *values), strict=True)))


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return the confusion matrix, long: actual, predicted, pictures."""
    from sklearn.metrics import confusion_matrix

    matrix = confusion_matrix(labels, predicted, labels=np.arange(len(classes)))
    names = np.array(classes)
    rows, columns = np.indices(matrix.shape)
    return pd.DataFrame(
        {"actual": names[rows.ravel()], "predicted": names[columns.ravel()], "pictures": matrix.ravel()}
    )


def score_split(network: Any, examples: Any, batch_size: int) -> dict[str, Any]:
    """Return the scores of one split and its number of pictures."""
    return {**score(examples.labels, predict(network, examples, batch_size)), "pictures": len(examples)}
