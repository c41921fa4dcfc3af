"""What the answers tell: scores with intervals, classes, slices, label errors, calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from darkroom.decision.rule import Rule
from darkroom.evaluate.curves import answered_curve, class_curves
from darkroom.evaluate.decide import pictures_needed
from darkroom.evaluation_page.content import Calibration, Curves, Promise
from darkroom.examples.predictions import Predictions, joined
from darkroom.scoring.class_scores import class_scores
from darkroom.scoring.label_issues import label_issues
from darkroom.scoring.reliability import calibrated_band, calibration_error, reliability_table
from darkroom.scoring.scores import Scores, score_with_intervals
from darkroom.scoring.slices import slice_table

Answers = dict[str, Predictions]  # by split


@dataclass(frozen=True)
class AnswersStudy:
    """The scores of each split, and the rest of what is known of test's answers.

    `label_issues` covers validation too. `validation` is what the gate asks of validation beyond its scores, see
    `details`.
    """

    scores: dict[str, Scores]
    classes: pd.DataFrame
    slices: pd.DataFrame
    label_issues: pd.DataFrame
    calibration: Calibration
    promise: Promise
    curves: Curves
    validation: dict[str, Any]


def study_answers(answers: Answers, unfamiliar: np.ndarray, facts: pd.DataFrame, rule: Rule) -> AnswersStudy:
    """Return what calibrated answers on each split tell.

    `unfamiliar` (n,) bool says which pictures of test are; `facts` as of `facts.picture_facts`.
    """
    groups = {split: facts.loc[part.image_ids, "group_id"].to_numpy() for split, part in answers.items()}
    test = answers["test"]
    correct = test.predicted == test.labels
    promise = _promise(test, unfamiliar, rule, len(answers["validation"]))
    return AnswersStudy(
        scores={
            split: score_with_intervals(part.labels, part.probabilities, groups[split])
            for split, part in answers.items()
        },
        classes=class_scores(test.labels, test.probabilities, groups["test"], test.classes),
        slices=slice_table(facts.loc[test.image_ids], correct, groups["test"]),
        label_issues=_label_issues(joined([answers["validation"], test]), facts["path"]),
        calibration=_calibration(test, groups["test"], rule, promise),
        promise=promise,
        curves=class_curves(test),
        validation=details(answers["validation"], facts),
    )


def details(answers: Predictions, facts: pd.DataFrame) -> dict[str, Any]:
    """Return the calibration error, the class with the lowest recall, and the worst slice.

    That is, of the significantly worse ones, the slice that lies farthest below the rest in accuracy; None without any.
    """
    correct, rows = answers.predicted == answers.labels, facts.loc[answers.image_ids]
    slices = slice_table(rows, correct, rows["group_id"].to_numpy())
    return {
        "calibration_error": calibration_error(answers.probabilities.max(axis=1), correct),
        "weakest_class": _weakest_class(answers, correct),
        "worst_slice": _worst_slice(slices, correct),
    }


def _weakest_class(answers: Predictions, correct: np.ndarray) -> dict[str, Any]:
    pictures = np.bincount(answers.labels, minlength=len(answers.classes))
    hits = np.bincount(answers.labels[correct], minlength=len(answers.classes))
    recalls = np.where(pictures > 0, hits / np.maximum(pictures, 1), np.inf)
    weakest = int(recalls.argmin())
    return {
        "class": answers.classes[weakest],
        "recall": float(recalls[weakest]),
        "pictures": int(pictures[weakest]),
    }


def _worst_slice(table: pd.DataFrame, correct: np.ndarray) -> dict[str, Any] | None:
    worse = table[table["worse"]]
    if worse.empty:
        return None
    others = (correct.sum() - worse["accuracy"] * worse["pictures"]) / (len(correct) - worse["pictures"])
    gaps = others - worse["accuracy"]
    row = worse.loc[gaps.idxmax()]
    return {"slice": row["slice"], "value": row["value"], "gap": float(gaps.max()), "pictures": int(row["pictures"])}


def _label_issues(answers: Predictions, paths: pd.Series) -> pd.DataFrame:
    return label_issues(answers.image_ids, answers.labels, answers.probabilities, answers.classes, paths)


def _calibration(test: Predictions, groups: np.ndarray, rule: Rule, promise: Promise) -> Calibration:
    confidence, correct = test.probabilities.max(axis=1), test.predicted == test.labels
    return Calibration(
        temperature=rule.temperature,
        error=calibration_error(confidence, correct),
        band=calibrated_band(confidence, groups),
        reliability=reliability_table(confidence, correct, groups),
        answered=answered_curve(confidence, correct),
        promise=promise,
    )


def _promise(test: Predictions, unfamiliar: np.ndarray, rule: Rule, validation: int) -> Promise:
    """Return what became of the promise on test, with the served rule of abstention; see `Answers`."""
    sets = rule.sets(test.probabilities)
    sizes, single = sets.sum(axis=1), (sets.sum(axis=1) == 1) & ~unfamiliar
    right = (test.predicted == test.labels)[single]
    needed, count = pictures_needed(rule.level), f"{validation} picture{'' if validation == 1 else 's'}"
    few = f"validation has {count}; a promise of {rule.level:.4g} needs at least {needed}"
    return Promise(
        level=rule.level,
        coverage=float(sets[np.arange(len(test)), test.labels].mean()),
        set_size=float(sizes.mean()),
        abstains=float((~single).mean()),
        accuracy=float(right.mean()) if len(right) else None,
        too_small=few if validation < needed else None,
    )
