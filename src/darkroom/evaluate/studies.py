"""Tables of a split's answers: by pairs of classes, by picture."""

import numpy as np
import pandas as pd

from darkroom.examples.predictions import Predictions


def confusion(predictions: Predictions) -> pd.DataFrame:
    """Return the confusion matrix, long: actual, predicted, pictures; row by row in the order of the classes."""
    from sklearn.metrics import confusion_matrix

    names = np.array(predictions.classes)
    matrix = confusion_matrix(predictions.labels, predictions.predicted, labels=np.arange(len(names)))
    rows, columns = np.indices(matrix.shape)
    return pd.DataFrame(
        {"actual": names[rows.ravel()], "predicted": names[columns.ravel()], "pictures": matrix.ravel()}
    )


def prediction_table(predictions: Predictions) -> pd.DataFrame:
    """Return a row for each picture: image_id, actual, predicted, score (the probability of what is predicted)."""
    names = np.array(predictions.classes)
    return pd.DataFrame(
        {
            "image_id": predictions.image_ids,
            "actual": names[predictions.labels],
            "predicted": names[predictions.predicted],
            "score": predictions.probabilities.max(axis=1).astype(float),
        }
    )
