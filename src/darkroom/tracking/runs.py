"""A stage's own MLflow run. Recording is a side effect: a store that fails gives a warning and never stops the work."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from darkroom.execution.interrupts import deferred_interrupts
from darkroom.tracking.abandoned import PROCESS_TAG, close_abandoned, this_process
from darkroom.tracking.logger import RunLogger, StoreUnavailable
from darkroom.tracking.results import KEY_TAG, STAGE_TAG, Report, StageResult, find_runs, report_metrics, stage_key
from darkroom.tracking.store import connect, describe_failure, experiment_id, redacted
from darkroom.tracking.trial_runs import delete_with_children

ERROR_TAG = "darkroom.error"
logger = logging.getLogger(__name__)


class StageRun(RunLogger):
    """The run of one stage; `run_id` is empty until it is open, and stays empty when the store fails at that."""

    def __init__(self, stage: str, experiment: str) -> None:
        super().__init__(None, "")
        self.stage = stage
        self.experiment = experiment
        self.params: dict[str, Any] = {}

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Catch the first failure of the store, log it, and write nothing from then on.

        Ctrl-C and SIGTERM wait for the end of a write: one that is broken off leaves the SQLite store locked.
        """
        try:
            with deferred_interrupts():
                yield
        except StoreUnavailable:  # logged when it failed
            pass
        except Exception as error:  # any failure of a store: network, permission, disk, version
            self._client = None
            logger.warning("not recorded in MLflow: %s", describe_failure(error))

    @contextmanager
    def recording(self, params: dict[str, Any]) -> Iterator[None]:
        """Open the run with `params`; close it as FAILED or KILLED, with the reason, when the block raises."""
        self._open(params)
        try:
            yield
        except BaseException as error:
            self._fail(error)
            raise

    def _open(self, params: dict[str, Any]) -> None:
        self.params = params
        with self.guard():
            client = connect()
            experiment = experiment_id(client, self.experiment)
            close_abandoned(client, experiment)
            tags = {STAGE_TAG: self.stage, PROCESS_TAG: this_process()}
            self.run_id = client.create_run(experiment, run_name=self.stage, tags=tags).info.run_id
            self._client = client
            self.log_params(params)

    def finish(self, report: Report, outputs: list[Path]) -> None:
        """Write the report's numbers and the outputs that people read, and close the run.

        When an earlier run has the same result, that one stands for both, and this one is deleted.
        """
        with self.guard():
            self.log_metrics(report_metrics(report))
            self.log_outputs(outputs)
            key = stage_key(StageResult(self.stage, self.params, report))
            earlier = find_runs(self.client, self.experiment_id, key)
            self.client.set_terminated(self.run_id, "FINISHED")
            if earlier:
                delete_with_children(self.client, self.experiment_id, self.run_id)
            else:
                self.client.set_tag(self.run_id, KEY_TAG, key)  # last: with it, a pipeline run may adopt this one

    def _fail(self, error: BaseException) -> None:
        with self.guard():
            reason = redacted(f"{type(error).__name__}: {error}")
            self.client.set_tag(self.run_id, ERROR_TAG, reason[:5000])
            self.client.set_terminated(self.run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
