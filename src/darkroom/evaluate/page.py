"""The evaluation page, put together from all that was found."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from darkroom.evaluate.champion import NO_CHAMPION, ChampionComparison
from darkroom.evaluate.evaluation import Evaluation
from darkroom.evaluate.pictures import changed_pictures, confused_pairs, error_pictures, uncertain_pictures
from darkroom.evaluate.studies import confusion
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
    study, names = found.study, found.answers["test"].classes
    content = EvaluationContent(
        facts=Facts(source, digest),
        scores={name: {**one.values, "pictures": len(found.answers[name])} for name, one in study.scores.items()},
        intervals={name: one.intervals for name, one in study.scores.items()},
        class_names=names,
        confusion=confusion(found.answers["test"])["pictures"].to_numpy().reshape(len(names), len(names)),
        classes=study.classes,
        curves=study.curves,
        calibration=study.calibration,
        unfamiliar=found.unfamiliar,
        label_issues=study.label_issues,
        slices=study.slices,
        robustness=found.robustness,
        champion=_champion(found.champion),
        history=history,
        cost=Cost(**found.cost),
    )
    return _with_pictures(content, found, known["path"])


def _with_pictures(content: EvaluationContent, found: Evaluation, paths: pd.Series) -> EvaluationContent:
    """Return the content with the pictures and maps that show where it fails; `paths` is the path of each image_id."""
    test, train, explained = found.measured["test"], found.measured["train"], found.explanations
    answers = test.answers
    return replace(
        content,
        error_count=int((answers.predicted != answers.labels).sum()),
        errors=error_pictures(found.errors, test, train, explained.maps, paths),
        uncertain=uncertain_pictures(answers, paths),
        pairs=confused_pairs(answers, paths),
        changed=_changed(answers, found.champion, paths),
        faithfulness=explained.faithfulness,
        feature_maps=explained.feature_maps,
    )


def _champion(found: ChampionComparison | None) -> Champion | None:
    if found is None or found.reason == NO_CHAMPION:
        return None
    return Champion(
        compared=found.compared,
        reason=found.reason,
        measured=found.measured,
        refused=found.refused,
        same=found.same,
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
