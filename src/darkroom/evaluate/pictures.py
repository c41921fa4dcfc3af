"""The pictures of the evaluation page: the worst errors, the least certain answers, the most confused pairs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkroom.decision.familiarity import unit_rows
from darkroom.evaluate.measure import Measured
from darkroom.evaluation_page.pictures import (
    ChangedPicture,
    ConfusedPair,
    ErrorPicture,
    Example,
    Neighbour,
    UncertainPicture,
)
from darkroom.examples.predictions import Predictions

UNCERTAIN, PAIRS, PER_PAIR, CHANGED = 24, 10, 6, 24  # pictures and pairs at most


@dataclass(frozen=True)
class Maps:
    """Overlays of some pictures as data URLs, by image_id: heat maps and, for small pictures, occlusion."""

    heat: dict[str, str]
    occlusion: dict[str, str]


def worst_errors(answers: Predictions, count: int) -> np.ndarray:
    """Return the rows (at most `count`) of wrong answers, those with the least probable label first."""
    wrong = np.flatnonzero(answers.predicted != answers.labels)
    own = answers.probabilities[wrong, answers.labels[wrong]]
    return np.asarray(wrong[np.argsort(own, kind="stable")][:count])


def error_pictures(
    rows: np.ndarray, test: Measured, train: Measured, maps: Maps, paths: pd.Series
) -> tuple[ErrorPicture, ...]:
    """Return the wrong answers in `rows`, each with its maps and the training picture nearest to it.

    `paths` is the path of each image_id.
    """
    answers, neighbours = test.answers, _nearest(rows, test, train, paths)
    names, shares = answers.classes, answers.probabilities
    return tuple(
        ErrorPicture(
            image_id=(image_id := str(answers.image_ids[row])),
            path=str(paths[image_id]),
            label=names[label],
            predicted=names[predicted],
            probability=float(shares[row, predicted]),
            label_probability=float(shares[row, label]),
            heat_map=maps.heat.get(image_id),
            occlusion=maps.occlusion.get(image_id),
            nearest=neighbour,
        )
        for row, label, predicted, neighbour in zip(
            rows, answers.labels[rows], answers.predicted[rows], neighbours, strict=True
        )
    )


def _nearest(rows: np.ndarray, test: Measured, train: Measured, paths: pd.Series) -> list[Neighbour]:
    if not len(rows):
        return []
    cosines = unit_rows(test.features[rows]) @ unit_rows(train.features).T
    best, answers = cosines.argmax(axis=1), train.answers
    return [
        Neighbour(
            image_id=(image_id := str(answers.image_ids[place])),
            path=str(paths[image_id]),
            label=answers.classes[answers.labels[place]],
            similarity=float(cosines[row, place]),
        )
        for row, place in enumerate(best)
    ]


def uncertain_pictures(answers: Predictions, paths: pd.Series) -> tuple[UncertainPicture, ...]:
    """Return the pictures whose two most probable classes are closest."""
    order = np.argsort(-answers.probabilities, axis=1, kind="stable")[:, :2]
    pairs = np.take_along_axis(answers.probabilities, order, axis=1)
    rows = np.argsort(pairs[:, 0] - pairs[:, 1], kind="stable")[:UNCERTAIN]
    names = answers.classes
    return tuple(
        UncertainPicture(
            image_id=(image_id := str(answers.image_ids[row])),
            path=str(paths[image_id]),
            label=names[answers.labels[row]],
            predicted=names[order[row, 0]],
            probability=float(pairs[row, 0]),
            second=names[order[row, 1]],
            second_probability=float(pairs[row, 1]),
        )
        for row in rows
    )


def confused_pairs(answers: Predictions, paths: pd.Series) -> tuple[ConfusedPair, ...]:
    """Return the pairs of classes that are confused most often, with the first pictures of each."""
    wrong = answers.predicted != answers.labels
    codes = (answers.labels.astype(np.int64) * len(answers.classes) + answers.predicted)[wrong]
    ids = answers.image_ids[wrong]
    found, counts = np.unique(codes, return_counts=True)
    pairs = []
    for place in np.argsort(-counts, kind="stable")[:PAIRS]:
        actual, predicted = divmod(int(found[place]), len(answers.classes))
        examples = tuple(Example(str(one), str(paths[one])) for one in ids[codes == found[place]][:PER_PAIR])
        pairs.append(ConfusedPair(answers.classes[actual], answers.classes[predicted], int(counts[place]), examples))
    return tuple(pairs)


def changed_pictures(answers: Predictions, other: pd.Series, paths: pd.Series) -> tuple[ChangedPicture, ...]:
    """Return pictures that one of two models answers right and the other wrong, first those that `answers` has wrong.

    `other` are the champion's labels by image_id; a picture without one is left out.
    """
    labels, predicted = (np.array(answers.classes)[codes] for codes in (answers.labels, answers.predicted))
    champions = other.reindex(answers.image_ids).to_numpy()
    right, other_right, known = predicted == labels, champions == labels, ~pd.isna(champions)
    lost, won = np.flatnonzero(~right & other_right)[:CHANGED], np.flatnonzero(right & ~other_right & known)[:CHANGED]
    return tuple(
        ChangedPicture(
            image_id=(image_id := str(answers.image_ids[row])),
            path=str(paths[image_id]),
            label=str(labels[row]),
            predicted=str(predicted[row]),
            champion=str(champions[row]),
        )
        for row in (*lost, *won)
    )
