"""The search of the stage tune, in steps: trials in processes of their own, and the best of them."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.core.metrics import METRICS
from darkroom.examples.pixels import Examples
from darkroom.execution.processes import Processes
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.train.epochs import LogMetrics
from darkroom.tune.attempts import trainer
from darkroom.tune.search import search
from darkroom.tune.store import open_store, study_name
from darkroom.tune.trial import Trial

logger = logging.getLogger(__name__)


def run_search(
    data: dict[str, Examples], params: DeclaredParams, weights: Path, cache: Path, content: str, log: LogMetrics
) -> tuple[Overlay, pd.DataFrame]:
    """Return the best values as an overlay, and a row for each trial.

    `weights` is the folder with the file that `model.weights` may name. `content` is the digest of data and code: with
    it and the parameters a stopped search is found again below `cache`.
    """
    tune = params.tune
    searched = ", ".join(f"{section}.{key}" for section, space in tune.space.items() for key in space)
    logger.info("searching %s; their values in params.yaml are the first trial", searched)

    def on_trial(trial: Trial) -> None:
        if trial.scores:
            log({tune.metric: trial.scores[tune.metric]}, trial.number)

    with open_store(cache / "tune", study_name(content, params), tune) as store, Processes() as processes:
        trials = search(params, trainer(processes, data, weights, params), store, on_trial)
    complete = [trial for trial in trials if trial.state == "complete"]
    lower = METRICS[tune.metric].lower_is_better
    best = sorted(complete, key=lambda trial: trial.scores[tune.metric], reverse=not lower)[0]
    return best.drawn.overlay, trial_table(trials, tune)


def no_search() -> tuple[Overlay, pd.DataFrame]:
    """Return the empty result that leaves the parameters as they are."""
    return {}, pd.DataFrame(columns=["number"])


def trial_table(trials: list[Trial], tune: Tune) -> pd.DataFrame:
    """Return a row for each trial: number, state, metric, epochs, seconds, reason, a column for each key."""
    rows = []
    for trial in trials:
        overlay = trial.drawn.overlay
        keys = {f"{section}.{key}": value for section, values in overlay.items() for key, value in values.items()}
        score = trial.scores.get(tune.metric)
        row = {"number": trial.number, "state": trial.state, tune.metric: score, "epochs": len(trial.curve)}
        rows.append({**row, "seconds": trial.seconds, "reason": trial.reason or None, **keys})
    return pd.DataFrame(rows)


def summarise(best: Overlay, trials: pd.DataFrame, tune: Tune) -> dict[str, Any]:
    """Return the report: whether it searched, how many trials ended in which way, the best values and their score."""
    report: dict[str, Any] = {"enabled": tune.enabled, "trials": len(trials), "best": best}
    if tune.enabled:
        report |= {state: int((trials["state"] == state).sum()) for state in ("pruned", "failed", "refused")}
        scores = trials[tune.metric]
        report["search_score"] = scores.min() if METRICS[tune.metric].lower_is_better else scores.max()
    return report
