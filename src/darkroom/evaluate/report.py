"""The report of evaluate."""

from typing import Any

from darkroom.evaluate.answers_study import Answers, AnswersStudy
from darkroom.evaluation_page.content import Champion, Cost, Robustness, Unfamiliar


def summarise(
    answers: Answers,
    study: AnswersStudy,
    robustness: Robustness | None,
    unfamiliar: Unfamiliar,
    champion: Champion | None,
    cost: Cost,
) -> dict[str, Any]:
    """Return the report: for each split the scores with their intervals, then what else was measured on test."""
    calibration, promise = study.calibration, study.calibration.promise
    assert promise is not None
    return {
        **{split: _scores(study, split) | {"pictures": len(part)} for split, part in answers.items()},
        "calibration": {
            "temperature": calibration.temperature,
            "error": calibration.error,
            "band": calibration.band,
        },
        "coverage": {
            "level": promise.level,
            "test": promise.coverage,
            "set_size": promise.set_size,
            "abstains": promise.abstains,
            "too_small": promise.too_small,
        },
        "out_of_distribution": {"flagged": unfamiliar.flagged, "roc_auc": unfamiliar.roc_auc},
        "robustness": _robustness(robustness),
        "champion": _champion(champion),
        "cost": {"parameters": cost.parameters, "multiply_adds": cost.multiply_adds, "file_bytes": cost.file_bytes},
        "label_issues": len(study.label_issues),
        "worse_slices": int(study.slices["worse"].sum()),
    }


def _scores(study: AnswersStudy, split: str) -> dict[str, Any]:
    found = study.scores[split]
    return {**found.values, "interval": {name: list(interval) for name, interval in found.intervals.items()}}


def _robustness(found: Robustness | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("clean", "mean", "relative", "flip", "shift")
    return {name: getattr(found, name) for name in names}


def _champion(found: Champion | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("compared", "reason", "difference", "interval", "p", "wins", "losses")
    return {name: getattr(found, name) for name in names}
