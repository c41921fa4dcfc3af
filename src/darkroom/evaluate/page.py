"""The evaluation page, put together from all that was found."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.evaluate.answers_study import AnswersStudy
from darkroom.evaluate.measure import Measured
from darkroom.evaluate.network_study import Explanations
from darkroom.evaluate.pictures import confused_pairs, error_pictures, uncertain_pictures
from darkroom.evaluation_page.content import (
    Champion,
    Cost,
    EvaluationContent,
    Facts,
    Robustness,
    Unfamiliar,
)
from darkroom.evaluation_page.page import pictures_shown, write_evaluation
from darkroom.evaluation_page.pictures import ChangedPicture
from darkroom.examples.predictions import Predictions
from darkroom.images.convert import Depth
from darkroom.pages.embedded import thumbnails


def page_content(
    facts: Facts,
    known: pd.DataFrame,
    measured: dict[str, Measured],
    study: AnswersStudy,
    errors: np.ndarray,
    explanations: Explanations,
) -> EvaluationContent:
    """Return what the page shows of the answers; `known` as of `facts.picture_facts`, `errors` are rows of test."""
    test, paths = measured["test"], known["path"]
    answers = test.answers
    return EvaluationContent(
        facts=facts,
        scores={
            name: {**found.values, "pictures": len(measured[name].answers)} for name, found in study.scores.items()
        },
        intervals={name: found.intervals for name, found in study.scores.items()},
        class_names=answers.classes,
        confusion=confusion_counts(answers),
        classes=study.classes,
        error_count=int((answers.predicted != answers.labels).sum()),
        errors=error_pictures(errors, test, measured["train"], explanations.maps, paths),
        uncertain=uncertain_pictures(answers, paths),
        pairs=confused_pairs(answers, paths),
        curves=study.curves,
        calibration=study.calibration,
        label_issues=study.label_issues,
        slices=study.slices,
        faithfulness=explanations.faithfulness,
        feature_maps=explanations.feature_maps,
    )


def confusion_counts(answers: Predictions) -> np.ndarray:
    """Return the confusion matrix (classes, classes) int64, actual by predicted."""
    count = len(answers.classes)
    codes = answers.labels.astype(np.int64) * count + answers.predicted
    return np.bincount(codes, minlength=count * count).reshape(count, count)


def write_page(path: Path, content: EvaluationContent, images: Path, sizes: pd.Series, depth: Depth) -> None:
    """Write the page with thumbnails of the packed pictures; `sizes` are the bytes of each image_id's file."""
    write_evaluation(path, content, thumbnails(images, sizes.loc[pictures_shown(content)], depth))
