"""What the MLflow run of a whole pipeline shows of itself: parameters, headlines, training curves, tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkroom.tracking.headlines import CURVE_PREFIX, CURVES, headline_metrics
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import Report, StageResult

ERRORS_SHOWN = 200


@dataclass(frozen=True)
class Results:
    """What the stages have left: their results, and the files of which the pipeline's run holds a part.

    `history` has a row for each epoch of each network; `answers` is the path of the table of answers, a Parquet file;
    `pages` are the reports on the data and on the model, HTML files; `tables` are those that people read, by name:
    per_class, label_issues, slices.
    """

    stages: list[StageResult]
    history: pd.DataFrame
    answers: Path
    pages: list[Path]
    tables: dict[str, pd.DataFrame]

    @property
    def reports(self) -> dict[str, Report]:
        """Return the report of each stage."""
        return {result.stage: result.report for result in self.stages}


def record_row(log: RunLogger, params: dict[str, Any], results: Results) -> None:
    """Record a pipeline: the parameters that made the model, those that tune found among them, and the results.

    Counts and all other numbers are on the runs of the stages.
    """
    log.log_params(params)
    log.log_metrics(headline_metrics(results.reports["evaluate"]))
    log.log_history(mean_curves(results.history), CURVE_PREFIX)
    content, counts = dataset_of(results.reports)
    log.log_dataset(params["ingest.source"], content, counts, "pipeline")
    for file in (results.answers, *results.pages):
        log.log_file(file)
    for name, table in {**results.tables, "errors": confident_errors(pd.read_parquet(results.answers))}.items():
        if len(table):
            log.log_table(table, f"{name}.json")


def mean_curves(history: pd.DataFrame) -> pd.DataFrame:
    """Return `CURVES` by epoch, the index; of several networks the mean of those that were trained so long."""
    return history.groupby("epoch")[list(CURVES)].mean()


def confident_errors(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the wrong answers on test, the most confident first: image_id, label, predicted, score."""
    wrong = answers[(answers["split"] == "test") & (answers["label"] != answers["predicted"])]
    scores = [float(np.max(row)) for row in wrong["probabilities"]]
    found = wrong[["image_id", "label", "predicted"]].assign(score=scores)
    return found.sort_values(["score", "image_id"], ascending=[False, True], ignore_index=True)[:ERRORS_SHOWN]


def dataset_of(reports: dict[str, Report]) -> tuple[str, dict[str, int]]:
    """Return the digest of the pictures and their splits, and the counts of the data set."""
    split = reports["split"]
    counts = {name: split[name] for name in ("train", "validation", "test")}
    return split["digest"], {**counts, "classes": reports["ingest"]["classes"]}
