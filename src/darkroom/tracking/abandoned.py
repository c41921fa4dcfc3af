"""Runs whose process was killed: MLflow would show them as running for ever."""

import os
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROCESS_TAG = "darkroom.process"


def this_process() -> str:
    """Return what names this process among those of all machines that share a store."""
    return f"{platform.node()}/{os.getpid()}"


def close_abandoned(client: "MlflowClient", experiment: str) -> None:
    """Close, as KILLED, the runs of an experiment (its id) whose process was on this machine and is no more."""
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        machine, _, process = run.data.tags.get(PROCESS_TAG, "").rpartition("/")
        if process.isdigit() and machine == platform.node() and not _is_alive(int(process)):
            client.set_terminated(run.info.run_id, "KILLED")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        pass
    return True
