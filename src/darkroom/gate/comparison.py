"""A model beside the champion, both on the validation pictures of the model."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.gate.verdict import Comparison
from darkroom.scoring.paired import metric_difference
from darkroom.tracking.champion import Champion, answers_of, recorded_answers
from darkroom.tracking.served import ServedError, served_answers

logger = logging.getLogger(__name__)
SPLIT = "validation"


@dataclass(frozen=True)
class Validation:
    """What a model answers on its validation pictures: a table tables.ANSWERS, the probabilities those of `classes`.

    `groups` are the group_ids, by image_id, of pictures that belong together; `images` are the packed pictures.
    """

    answers: pd.DataFrame
    classes: Sequence[str]
    groups: pd.Series
    images: Path

    @classmethod
    def of(cls, answers: pd.DataFrame, classes: Sequence[str], curated: pd.DataFrame, images: Path) -> "Validation":
        """Take the validation part of evaluate's answers, and the groups from the table of curated pictures."""
        groups = curated.set_index("image_id")["group_id"]
        return cls(answers[answers["split"] == SPLIT], classes, groups, images)

    @property
    def image_ids(self) -> np.ndarray:
        """The pictures (n,) str."""
        return self.answers["image_id"].to_numpy()


def compare(own: Validation, champion: Champion, metric: str) -> Comparison:
    """Return the score of a model less that of a champion with the same classes, on the pictures of `own`.

    The champion's recorded answers are taken when it was validated on these pictures with these labels; else it is
    loaded and answers them now; pictures that it refuses count for neither.
    """
    labels = own.answers["label"].to_numpy()
    recorded = recorded_answers(answers_of(champion.run_id), SPLIT, own.image_ids, labels)
    try:
        if recorded is not None:
            return _difference(own, np.stack(recorded["probabilities"].to_list()), metric)
        answered, other = _measured(champion, own)
    except ServedError as error:
        return Comparison(metric, problem=str(error))
    common = replace(own, answers=own.answers[np.isin(own.image_ids, answered)])
    return replace(_difference(common, other, metric), measured=True, refused=len(own.answers) - len(answered))


def _measured(champion: Champion, own: Validation) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures (n,) that the champion answers now, and its probabilities (n, classes).

    Raises ServedError.
    """
    logger.info("the champion, version %s, answers %d validation pictures", champion.version, len(own.answers))
    answers = served_answers(champion.uri, own.images, own.image_ids)
    given = answers["probabilities"]
    if not all(isinstance(row, Mapping) and row.keys() == set(own.classes) for row in given):
        raise ServedError("it does not give a probability for each class")
    return answers.index.to_numpy(), np.array([[row[name] for name in own.classes] for row in given])


def _difference(own: Validation, other: np.ndarray, metric: str) -> Comparison:
    labels = pd.Index(own.classes).get_indexer(pd.Index(own.answers["label"]))
    probabilities = np.stack(own.answers["probabilities"].to_list())
    groups = own.groups.loc[own.image_ids].to_numpy()
    difference, interval = metric_difference(metric, labels, probabilities, other, groups)
    if not math.isfinite(difference) or not all(map(math.isfinite, interval)):
        return Comparison(metric, problem=f"validation {metric} is not defined for both")
    return Comparison(metric, len(labels), difference, interval)
