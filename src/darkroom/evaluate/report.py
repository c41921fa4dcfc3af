"""The report of evaluate."""

from typing import Any

from darkroom.evaluate.evaluation import Evaluation
from darkroom.evaluation_page.content import Robustness


def summarise(found: Evaluation) -> dict[str, Any]:
    """Return the report: for each split the scores with their intervals, then what else was measured on test."""
    calibration, promise = found.study.calibration, found.study.promise
    return {
        **{split: _scores(found, split) for split in found.measured},
        "chosen_by": "validation",
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
        "out_of_distribution": {"flagged": found.unfamiliar.flagged, "roc_auc": found.unfamiliar.roc_auc},
        "robustness": _robustness(found.robustness),
        "champion": found.champion.report() if found.champion else None,
        "cost": dict(found.cost),
        "label_issues": len(found.study.label_issues),
        "worse_slices": int(found.study.slices["worse"].sum()),
    }


def _scores(found: Evaluation, split: str) -> dict[str, Any]:
    scores = found.study.scores[split]
    intervals = {name: list(interval) for name, interval in scores.intervals.items()}
    return {**scores.values, "pictures": len(found.answers[split]), "interval": intervals}


def _robustness(found: Robustness | None) -> dict[str, Any] | None:
    names = ("clean", "mean", "relative", "flip", "shift")
    return {name: getattr(found, name) for name in names} if found else None
