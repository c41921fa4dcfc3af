"""A stage's own MLflow run. Recording is a side effect: a store that is away warns and never stops the work."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError, first_line
from darkroom.core.files import digest
from darkroom.core.tables import SPLIT_NAMES
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.tracking.abandoned import PROCESS_TAG, close_abandoned, this_process
from darkroom.tracking.store import connect, experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from PIL import Image

STAGE_TAG = "darkroom.stage"
KEY_TAG = "darkroom.key"
PARENT_TAG = "mlflow.parentRunId"
LOGGED_SUFFIXES = {".json", ".csv", ".yaml", ".md", ".png", ".html"}
Report = dict[str, Any]


@dataclass(frozen=True)
class StageResult:
    """What a stage decided, whether it ran or was cached: its own parameters and its report."""

    stage: str
    params: dict[str, Any]
    report: Report


class StageRun:
    """Records parameters, live metrics, the report and artefacts of one stage."""

    def __init__(self, stage: str, experiment: str) -> None:
        self.stage = stage
        self.experiment = experiment
        self.params: dict[str, Any] = {}
        self.client: MlflowClient | None = None
        self.run_id = ""

    @contextmanager
    def recording(self, params: dict[str, Any]) -> Iterator[None]:
        """Open the run with `params`; close it as FAILED or KILLED, with the reason, when the block raises."""
        self.params = params
        self._safely(self._open)
        try:
            yield
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            self._safely(self._fail, "KILLED" if stopped else "FAILED", f"{type(error).__name__}: {error}")
            raise

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Record numbers of one step (an epoch, a trial) while the stage works."""
        self._safely(self._log_batch, metrics, step)

    def log_params(self, params: dict[str, Any]) -> None:
        """Record parameters beside those of the stage's own sections."""
        self._safely(self._log_params, params)

    def log_dataset(self, name: str, content: str, counts: dict[str, int], context: str) -> None:
        """Record a data set as the run's input: its name, the digest of its content and its counts."""
        self._safely(self._log_dataset, name, content, counts, context)

    def log_picture(self, picture: "Image.Image", name: str) -> None:
        """Record a picture while the stage works."""
        self._safely(self._log_picture, picture, name)

    def finish(self, report: Report, outputs: list[Path]) -> None:
        """Record the report's numbers and the outputs that people read, and close the run."""
        self._safely(self._finish, report, outputs)

    def _safely(self, action: Callable[..., None], *arguments: Any) -> None:
        """Run `action` while the store answers; from its first failure on, record nothing and say so once.

        Ctrl-C waits for its end: a write that breaks off leaves the SQLite store locked for what is recorded next.
        """
        if self.client is None and action != self._open:
            return
        try:
            with deferred_interrupts():
                action(*arguments)
        except Exception as error:  # any failure of a store: network, permission, disk, version
            self.client = None
            print(f"{self.stage}: not recorded in MLflow: {say(error)}", file=sys.stderr)

    def _open(self) -> None:
        client = connect()
        experiment = experiment_id(client, self.experiment)
        close_abandoned(client, experiment)
        tags = {STAGE_TAG: self.stage, PROCESS_TAG: this_process()}
        self.run_id = client.create_run(experiment, run_name=self.stage, tags=tags).info.run_id
        self.client = client
        record_params(client, self.run_id, self.params)

    def _log_batch(self, metrics: dict[str, float], step: int = 0) -> None:
        assert self.client is not None
        record_metrics(self.client, self.run_id, metrics, step)

    def _log_params(self, params: dict[str, Any]) -> None:
        assert self.client is not None
        record_params(self.client, self.run_id, params)

    def _log_dataset(self, name: str, content: str, counts: dict[str, int], context: str) -> None:
        assert self.client is not None
        record_dataset(self.client, self.run_id, name, content, counts, context)

    def _log_picture(self, picture: "Image.Image", name: str) -> None:
        assert self.client is not None
        self.client.log_image(self.run_id, picture, name)

    def _finish(self, report: Report, outputs: list[Path]) -> None:
        assert self.client is not None
        self._log_batch(numbers(report))
        for path in outputs:
            if path.is_dir() and all(file.suffix in LOGGED_SUFFIXES for file in path.iterdir()):
                self.client.log_artifacts(self.run_id, str(path), path.name)
            elif path.suffix in LOGGED_SUFFIXES:
                self.client.log_artifact(self.run_id, str(path))
        key = stage_key(StageResult(self.stage, self.params, report))
        experiment = self.client.get_run(self.run_id).info.experiment_id
        if find_runs(self.client, experiment, key):  # this gave the same result before: that run stands for both
            self.client.set_terminated(self.run_id, "FINISHED")
            self.client.delete_run(self.run_id)
            return
        self.client.set_terminated(self.run_id, "FINISHED")
        self.client.set_tag(self.run_id, KEY_TAG, key)  # last: from here on it can be hung below a row

    def _fail(self, status: str, reason: str) -> None:
        assert self.client is not None
        self.client.set_tag(self.run_id, "darkroom.error", reason[:5000])
        self.client.set_terminated(self.run_id, status)


def stage_key(result: StageResult) -> str:
    """Return what names a stage's result: the digest of its parameters and its report."""
    return digest([result.stage, result.params, result.report])


def find_runs(client: "MlflowClient", experiment: str, key: str) -> list[Any]:
    """Return the finished runs with `key` in the experiment (its id), the oldest first."""
    query = f"tags.`{KEY_TAG}` = '{key}' and attributes.status = 'FINISHED'"
    return list(client.search_runs([experiment], query, order_by=["attributes.start_time"]))


def record_params(client: "MlflowClient", run_id: str, params: dict[str, Any]) -> None:
    """Record parameters, a hundred at a time (MLflow's limit)."""
    from mlflow.entities import Param

    rows = [Param(_allowed(key), str(value)[:6000]) for key, value in sorted(params.items())]
    for start in range(0, len(rows), 100):
        client.log_batch(run_id, params=rows[start : start + 100])


def _allowed(name: str) -> str:
    """Return a parameter's name as MLflow takes it; a folder that ingest.labels names may hold any character."""
    return "".join(char if char.isalnum() or char in "_-. :/" else "_" for char in name)[:250]


def record_metrics(client: "MlflowClient", run_id: str, metrics: dict[str, float], step: int = 0) -> None:
    """Record numbers, all of one step."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    rows = [Metric(name, float(value), now, step) for name, value in sorted(metrics.items())]
    for start in range(0, len(rows), 1000):
        client.log_batch(run_id, metrics=rows[start : start + 1000])


def record_dataset(
    client: "MlflowClient", run_id: str, name: str, content: str, counts: dict[str, int], context: str
) -> None:
    """Record a data set as an input of a run; MLflow shows the first 8 digits of the digest."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    from darkroom.core.files import canonical_json

    dataset = Dataset(name, content[:8], "local", canonical_json({"uri": name}), profile=canonical_json(counts))
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])


def numbers(report: Report, prefix: str = "") -> dict[str, float]:
    """Return the numbers of a report as {"part/name": value}, those of the splits included.

    Texts, lists and nulls are left out, and so are mappings whose keys come from the data (labels, reasons): a name of
    MLflow's may not hold what a folder's name may, and a thousand classes would bury the rest. The report has them.
    """
    found: dict[str, float] = {}
    for key, value in report.items():
        if isinstance(value, dict) and key in SPLIT_NAMES:
            found |= numbers(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and value == value:
            found[prefix + key] = float(value)
    return found


def say(error: Exception) -> str:
    """Return a store's failure in a line that fits a terminal, with the address that was asked."""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    where = f" (MLFLOW_TRACKING_URI is {address})" if address.startswith("http") else ""
    return textwrap.shorten(first_line(error), 120, placeholder=" ...") + where


def as_user_error(error: Exception, doing: str) -> UserError:
    """Return a failure of the store as one line for those who cannot do without it."""
    return UserError(f"MLflow failed while {doing}: {say(error)}; check with `darkroom doctor`", status=1)
