"""A search with real trainings in processes, which are stopped and killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from darkroom.execution.processes import Processes
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Row
from darkroom.train.epochs import OnEpoch
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer, trainer
from darkroom.tune.search import search
from darkroom.tune.store import open_store
from easy import data, small_params
from pictures import ROOT
from sessions import wait_for

SPACE = {"train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
STOPPED = """
import sys
from pathlib import Path
from darkroom.execution.exits import reported_errors
from darkroom.train.jobs import prepare_processes
from test_search_processes import run_for_ever

with reported_errors("tune"):
    prepare_processes()
    run_for_ever(Path(sys.argv[1]))
"""


def run_for_ever(folder: Path) -> None:
    """Search with two long trainings side by side."""
    chosen = small_params(train={"threads": 1}, tune={"epochs": 100_000, "batch": 2, "space": SPACE})
    with open_store(folder, "name", chosen.tune) as store, Processes() as processes:
        two = Trainer(trainer(processes, lambda _: data(), folder, chosen).train, 2)
        search(chosen, two, store, lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_no_process_stays_behind(tmp_path: Path, number: str, status: int) -> None:
    folders = ":".join(str(ROOT / name) for name in ("src", "tests", "tests/model"))
    command = [sys.executable, "-c", STOPPED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": folders}
    driver = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True)
    wait_for(driver.pid, range(5, 6))  # the search, a tracker of resources, the fork server and two trainings
    time.sleep(3)
    driver.send_signal(getattr(signal, number))
    assert driver.wait(60) == status
    wait_for(driver.pid, range(1))
    assert driver.stderr and len(driver.stderr.read().splitlines()) == (number != "SIGKILL")  # no traceback


@pytest.mark.slow
def test_a_process_that_is_killed_is_tried_again(tmp_path: Path) -> None:
    chosen = small_params(tune={"trials": 2, "epochs": 2, "space": SPACE})
    killed: list[int] = []

    with open_store(tmp_path, "name", chosen.tune) as store, Processes() as processes:
        real = trainer(processes, lambda _: data(), tmp_path, chosen)

        def train(
            candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
        ) -> Measured:
            def kill(epoch: int, row: Row) -> bool:
                if not killed:
                    killed.append(multiprocessing.active_children()[0].pid or 0)
                    os.kill(killed[0], signal.SIGKILL)
                return bool(on_epoch and on_epoch(epoch, row))

            return real.train(candidate, kill, gpu, checkpoint)

        trials = search(chosen, Trainer(train), store, lambda _: None)
    assert [trial.state for trial in trials] == ["complete"] * 2 and len(killed) == 1
    assert [row["epoch"] for row in trials[0].curve] == [1, 2]
