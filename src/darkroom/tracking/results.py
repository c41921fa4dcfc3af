"""What a stage decided, and how its MLflow run is found again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from darkroom.core.files import digest
from darkroom.core.tables import SPLIT_NAMES

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STAGE_TAG = "darkroom.stage"
KEY_TAG = "darkroom.key"
PIPELINE_TAG = "darkroom.pipeline"  # on the run of a whole pipeline
PARENT_TAG = "mlflow.parentRunId"
SECTIONS = ("calibration", "coverage", "robustness", "champion", "cost")  # of evaluate's report
Report = dict[str, Any]


@dataclass(frozen=True)
class StageResult:
    """The parameters of a stage's own sections and its report, whether it ran or was cached."""

    stage: str
    params: dict[str, Any]
    report: Report

    @property
    def lasting(self) -> Report:
        """The report without the comparison with the champion, who may be another one at the next run."""
        return {key: value for key, value in self.report.items() if key != "champion"}


def stage_key(result: StageResult) -> str:
    """Return the digest of a stage's name, parameters and lasting report; KEY_TAG holds it."""
    return digest([result.stage, result.params, result.lasting])


def find_runs(client: "MlflowClient", experiment: str, key: str) -> list["Run"]:
    """Return the finished runs with the key `key` in an experiment (its id), the oldest first."""
    query = f"tags.`{KEY_TAG}` = '{key}' and attributes.status = 'FINISHED'"
    return list(client.search_runs([experiment], query, order_by=["attributes.start_time"]))


def report_metrics(report: Report, prefix: str = "") -> dict[str, float]:
    """Return the numbers of a report as {"part/name": value}, those of the splits and of `SECTIONS` included.

    Texts, lists and nulls are left out, and so are mappings whose keys come from the data (labels, reasons): not every
    character of a folder's name is allowed in a metric's name, and a thousand classes would bury the rest.
    """
    found: dict[str, float] = {}
    for key, value in report.items():
        if isinstance(value, dict) and key in (*SPLIT_NAMES, *SECTIONS):
            found |= report_metrics(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and value == value:
            found[prefix + key] = float(value)
    return found
