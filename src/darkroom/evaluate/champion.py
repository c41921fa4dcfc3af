"""The model beside the champion, both on the same test pictures."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkroom.examples.predictions import Predictions
from darkroom.scoring.paired import mcnemar, paired_difference
from darkroom.tracking.champion import ChampionUnknown, answers_of, find_champion, recorded_answers
from darkroom.tracking.served import ServedError, served_answers

NO_CHAMPION = "there is no champion yet"
NOT_ASKED = "MLflow could not be asked"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChampionComparison:
    """The model's accuracy less the champion's, its paired 95 % interval, p of McNemar's exact test.

    `won` are the image_ids that only the model has right, `lost` those that only the champion has. Without a comparison
    `reason` says why. `measured`: the champion was run on the present pictures, for it was tested on others; `refused`
    of them it did not answer, and they count for neither.
    The champion's number is not here: it depends on what else the store has seen.
    """

    compared: bool
    reason: str = ""
    measured: bool = False
    refused: int = 0
    same: bool = False  # the champion gives exactly these answers
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    answers: pd.Series | None = None  # the champion's labels by image_id

    def report(self) -> dict[str, Any]:
        """Return what evaluate's report holds of it: of the pictures that changed sides, their numbers."""
        names = ("compared", "reason", "measured", "refused", "same", "difference", "interval", "p")
        return {**{name: getattr(self, name) for name in names}, "won": len(self.won), "lost": len(self.lost)}


def compare(own: Predictions, groups: np.ndarray, name: str, images: Path) -> ChampionComparison:
    """Compare the answers on test with those of the champion of the registered model `name`.

    `groups` (n,) says which pictures are drawn together. The champion's own table of answers is taken when it has the
    same pictures with the same labels; else the champion answers the packed pictures in `images`, those that it does
    not refuse.
    """
    try:
        champion = find_champion(name)
    except ChampionUnknown:
        return ChampionComparison(False, NOT_ASKED)
    if champion is None:
        return ChampionComparison(False, NO_CHAMPION)
    logger.info("the champion is version %s of %s", champion.version, name)
    recorded = recorded_answers(answers_of(champion.run_id), own.split, own.image_ids, _true_labels(own))
    if recorded is not None and _same(recorded["probabilities"], own.probabilities):
        return ChampionComparison(True, same=True, difference=0.0, interval=(0.0, 0.0), p=1.0)
    if recorded is not None:
        return _compare(own, recorded["predicted"], groups, measured=False)
    if set(champion.classes) != set(own.classes):
        return ChampionComparison(False, f"it has other classes ({_few(champion.classes)})")
    try:
        labels = served_answers(champion.uri, images, own.image_ids)["label"]
    except ServedError as error:
        return ChampionComparison(False, str(error))
    return _compare(own, labels, groups, measured=True)


def _compare(own: Predictions, labels: pd.Series, groups: np.ndarray, measured: bool) -> ChampionComparison:
    """Compare with the champion's answers, `labels` by image_id, in the order of `own`; it has no others."""
    answered = np.isin(own.image_ids, labels.index)
    correct, other = (own.predicted == own.labels)[answered], labels.to_numpy() == _true_labels(own)[answered]
    difference, interval = paired_difference(correct, other, groups[answered])
    changed = (own.image_ids[answered][rows] for rows in (correct & ~other, other & ~correct))
    won, lost = (tuple(sorted(image_ids.tolist())) for image_ids in changed)
    refused, p = int((~answered).sum()), mcnemar(correct, other)
    return ChampionComparison(True, "", measured, refused, False, difference, interval, p, won, lost, labels)


def _true_labels(own: Predictions) -> np.ndarray:
    return np.asarray(np.array(own.classes, dtype=object)[own.labels])


def _same(probabilities: pd.Series, own: np.ndarray) -> bool:
    rows = probabilities.tolist()
    return all(len(row) == own.shape[1] for row in rows) and bool(np.array_equal(np.stack(rows), own))


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "not recorded"
