"""The report of evaluate."""

import logging
from typing import Any

from darkroom.evaluate.evaluation import Evaluation
from darkroom.evaluation_page.content import Robustness
from darkroom.tracking.looks import record_look
from darkroom.tracking.runs import StageRun

logger = logging.getLogger(__name__)


def summarise(found: Evaluation) -> dict[str, Any]:
    """Return the report: for each split the scores with their intervals, then what else was measured on test."""
    calibration, promise = found.study.calibration, found.study.promise
    return {
        **{split: _scores(found, split) for split in found.measured},
        "chosen_by": "validation",
        "validation_details": found.study.validation,
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


def record(run: StageRun, found: Evaluation, test_split: str, model: str) -> None:
    """Record in MLflow, and in the log, what no output may hold: latency, and how often this test split was looked at.

    `test_split` and `model` are digests.
    """
    times = found.latency
    run.log_metrics({f"latency/{name}": value for name, value in times.items()})
    logger.info(
        "a picture takes %.1f ms (95 %% within %.1f), a batch of 32 %.1f ms (%.1f); threads: %d; peak memory %.0f MB",
        *(times[name] for name in ("batch1_p50", "batch1_p95", "batch32_p50", "batch32_p95", "threads", "peak_memory")),
    )
    record_look(run, test_split, model)


def _scores(found: Evaluation, split: str) -> dict[str, Any]:
    scores = found.study.scores[split]
    intervals = {name: list(interval) for name, interval in scores.intervals.items()}
    return {**scores.values, "pictures": len(found.answers[split]), "interval": intervals}


def _robustness(found: Robustness | None) -> dict[str, Any] | None:
    names = ("clean", "mean", "relative", "flip", "shift")
    return {name: getattr(found, name) for name in names} if found else None
