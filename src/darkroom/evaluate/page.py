"""The evaluation page, put together from all that was found."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.evaluate.champion import ChampionComparison
from darkroom.evaluate.evaluation import Evaluation
from darkroom.evaluate.pictures import changed_pictures, confused_pairs, error_pictures, uncertain_pictures
from darkroom.evaluation_page.content import Champion, Cost, EvaluationContent, Facts
from darkroom.evaluation_page.page import pictures_shown, write_evaluation
from darkroom.evaluation_page.pictures import ChangedPicture
from darkroom.examples.predictions import Predictions
from darkroom.images.convert import Depth
from darkroom.pages.embedded import thumbnails


def page_content(
    found: Evaluation, known: pd.DataFrame, history: pd.DataFrame, source: str, digest: str
) -> EvaluationContent:
    """Return what the page shows; `known` as of `facts.picture_facts`, `history` is models/history.csv.

    `source` is the name of the data, `digest` that of the pictures and their splits.
    """
    study, paths, answers = found.study, known["path"], found.answers["test"]
    test, train = found.measured["test"], found.measured["train"]
    return EvaluationContent(
        facts=Facts(source, digest, "validation"),
        scores={name: {**one.values, "pictures": len(found.answers[name])} for name, one in study.scores.items()},
        intervals={name: one.intervals for name, one in study.scores.items()},
        class_names=answers.classes,
        confusion=confusion_counts(answers),
        classes=study.classes,
        error_count=int((answers.predicted != answers.labels).sum()),
        errors=error_pictures(found.errors, test, train, found.explanations.maps, paths),
        uncertain=uncertain_pictures(answers, paths),
        pairs=confused_pairs(answers, paths),
        changed=_changed(answers, found.champion, paths),
        curves=study.curves,
        calibration=study.calibration,
        unfamiliar=found.unfamiliar,
        label_issues=study.label_issues,
        slices=study.slices,
        robustness=found.robustness,
        faithfulness=found.explanations.faithfulness,
        feature_maps=found.explanations.feature_maps,
        champion=_champion(found.champion),
        history=history,
        cost=Cost(**found.cost),
    )


def confusion_counts(answers: Predictions) -> np.ndarray:
    """Return the confusion matrix (classes, classes) int64, actual by predicted."""
    count = len(answers.classes)
    codes = answers.labels.astype(np.int64) * count + answers.predicted
    return np.bincount(codes, minlength=count * count).reshape(count, count)


def _champion(found: ChampionComparison | None) -> Champion | None:
    if found is None or not found.version:  # not asked for, or none there yet
        return None
    return Champion(
        compared=found.compared,
        version=found.version,
        reason=found.reason or None,
        difference=found.difference,
        interval=found.interval,
        p=found.p,
        wins=len(found.won),
        losses=len(found.lost),
    )


def _changed(answers: Predictions, champion: ChampionComparison | None, paths: pd.Series) -> tuple[ChangedPicture, ...]:
    if champion is None or champion.answers is None:
        return ()
    return changed_pictures(answers, champion.answers, paths)


def write_page(path: Path, content: EvaluationContent, images: Path, known: pd.DataFrame, depth: Depth) -> None:
    """Write the page with thumbnails of the packed pictures; `known` as of `facts.picture_facts`."""
    write_evaluation(path, content, thumbnails(images, known["bytes"].loc[pictures_shown(content)], depth))
