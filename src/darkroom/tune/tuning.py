"""What the search optimises: a short training, scored on the validation split."""

import gc
import logging
from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.core.files import digest
from darkroom.core.metrics import METRICS
from darkroom.examples.metrics import score_split
from darkroom.examples.pixels import Examples
from darkroom.models.combine import combine
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.train.epochs import LogMetrics
from darkroom.train.jobs import Job, run_job
from darkroom.tune.search import search

logger = logging.getLogger(__name__)
SECTIONS = ["image", "augment", "model", "finetune", "train", "tune", "debug"]


def run_search(
    data: dict[str, Examples], params: DeclaredParams, weights: Path, cache: Path, content: str, log: LogMetrics
) -> tuple[Overlay, pd.DataFrame]:
    """Return the best values as an overlay, and a row for each trial.

    `weights` is the folder with the file that `model.weights` may name. `content` is the digest of data and code: with
    it and the parameters a stopped search is found again below `cache`.
    """
    metric = params.tune.metric

    def objective(candidate: DeclaredParams) -> float:
        """Return the metric of a short training."""
        return _validation_scores(data, candidate, weights)[metric]

    def on_trial(number: int, score: float) -> None:
        logger.info("trial %d of %d: validation %s %.4f", number, params.tune.trials, metric, score)
        log({metric: score}, number)

    searched = ", ".join(f"{section}.{key}" for section, space in params.tune.space.items() for key in space)
    logger.info("searching %s; their values in params.yaml are not used", searched)
    key = digest([content, {k: v for k, v in params.flat(SECTIONS).items() if k != "tune.trials"}])
    return search(params, objective, cache / "tune" / f"{key[:20]}.journal", on_trial)


def no_search() -> tuple[Overlay, pd.DataFrame]:
    """Return the empty result that leaves the parameters as they are."""
    return {}, pd.DataFrame(columns=["trial"])


def summarise(best: Overlay, trials: pd.DataFrame, tune: Tune) -> dict[str, Any]:
    """Return the report: whether it searched, how many trials, how many failed, the best values and their score."""
    report: dict[str, Any] = {"enabled": tune.enabled, "trials": len(trials), "best": best}
    if tune.enabled:
        scores = trials[tune.metric]
        report["failed"] = int(trials["failure"].notna().sum())
        report["best_score"] = scores.min() if METRICS[tune.metric].lower_is_better else scores.max()
    return report


def _validation_scores(data: dict[str, Examples], params: DeclaredParams, weights: Path) -> dict[str, float]:
    """Return the scores of a short training; the network is averaged as it will be served, and then forgotten."""
    import keras

    average, batch_size, job = params.model.average, params.train.batch_size, Job(params, data, weights)
    try:  # no name holds the network, which would keep it alive
        return score_split(combine([run_job(job).network], average), data["validation"], batch_size)
    finally:
        keras.backend.clear_session()  # what a trial leaves behind would slow and fill the next ones
        gc.collect()
