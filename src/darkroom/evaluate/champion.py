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
    `reason` says why. `measured`: the champion was run on the present pictures, for it was tested on others.
    The champion's number is not here: it depends on what else the store has seen.
    """

    compared: bool
    reason: str = ""
    measured: bool = False
    same: bool = False  # the champion gives exactly these answers
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    answers: np.ndarray | None = None  # the champion's labels (n,) str

    def report(self) -> dict[str, Any]:
        """Return what evaluate's report holds of it: of the pictures that changed sides, their numbers."""
        names = ("compared", "reason", "measured", "same", "difference", "interval", "p")
        return {**{name: getattr(self, name) for name in names}, "won": len(self.won), "lost": len(self.lost)}


def compare(own: Predictions, groups: np.ndarray, name: str, images: Path) -> ChampionComparison:
    """Compare the answers on test with those of the champion of the registered model `name`.

    `groups` (n,) says which pictures are drawn together. The champion's own table of answers is taken when it has the
    same pictures with the same labels; else the champion answers the packed pictures in `images`.
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
        return ChampionComparison(True, "", False, True, 0.0, (0.0, 0.0), 1.0)
    if recorded is not None:
        return _compare(own, recorded["predicted"].to_numpy(), groups, measured=False)
    if set(champion.classes) != set(own.classes):
        return ChampionComparison(False, f"it has other classes ({_few(champion.classes)})")
    try:
        labels = served_answers(champion.uri, images, own.image_ids)["label"].to_numpy()
    except ServedError as error:
        return ChampionComparison(False, str(error))
    if len(labels) < len(own.image_ids):
        return ChampionComparison(False, "it cannot answer every picture")
    return _compare(own, labels, groups, measured=True)


def _compare(own: Predictions, labels: np.ndarray, groups: np.ndarray, measured: bool) -> ChampionComparison:
    """Compare with the champion's answers, `labels` (n,) str, in the order of `own`."""
    correct, other = own.predicted == own.labels, labels == _true_labels(own)
    difference, interval = paired_difference(correct, other, groups)
    won, lost = (tuple(sorted(own.image_ids[changed].tolist())) for changed in (correct & ~other, other & ~correct))
    p = mcnemar(correct, other)
    return ChampionComparison(True, "", measured, False, difference, interval, p, won, lost, labels)


def _true_labels(own: Predictions) -> np.ndarray:
    return np.asarray(np.array(own.classes, dtype=object)[own.labels])


def _same(probabilities: pd.Series, own: np.ndarray) -> bool:
    rows = probabilities.tolist()
    return all(len(row) == own.shape[1] for row in rows) and bool(np.array_equal(np.stack(rows), own))


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "not recorded"
