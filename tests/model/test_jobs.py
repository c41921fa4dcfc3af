"""A training in a process of its own gives what it gives here."""

import os
import pickle
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.execution import cluster
from darkroom.execution.cluster import Node
from darkroom.execution.cluster_processes import ClusterProcesses
from darkroom.execution.processes import Processes, call_in_process
from darkroom.train.checkpoint import Row
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import Failed, Job, visible_gpus
from darkroom.train.measuring import measure, measure_in_process
from easy import data, small_params


def note_in(curve: list[Row], last: int) -> OnEpoch:
    """Return what adds the row of each epoch to `curve` and stops after the epoch `last`."""

    def on_epoch(epoch: int, row: Row) -> bool:
        curve.append(row)
        return epoch == last

    return on_epoch


def test_a_training_in_a_process_of_its_own_is_measured_and_stopped_as_here(tmp_path: Path) -> None:
    job = Job(small_params(train={"epochs": 4, "label_smoothing": 0.1}), data(), tmp_path)
    curve: list[Row] = []
    rows: list[Row] = []
    here = measure(job, ("train", "validation"), note_in(curve, 3))
    with Processes() as processes:
        apart = measure_in_process(processes, job, ("train", "validation"), note_in(rows, 3))
    assert (apart.scores, apart.costs) == (here.scores, here.costs)
    assert rows == curve and len(curve) == 3 and curve[-1]["validation_log_loss"] < curve[-1]["validation_loss"]
    assert curve[-1]["validation_log_loss"] == pytest.approx(here.scores["validation"]["log_loss"], rel=1e-5)


@pytest.mark.slow
def test_a_training_that_wants_too_much_memory_has_failed(tmp_path: Path) -> None:
    job = Job(small_params(model={"filters": [65536, 65536], "kernel": 31}), data(), tmp_path)  # 16 TB
    with Processes() as processes, pytest.raises(Failed, match=r"^ResourceExhaustedError: .*OOM"):
        measure_in_process(processes, job, ("validation",))


def test_each_training_has_gpus_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [visible_gpus(share, 1) for share in range(3)] == ["0", "1", "2"] and visible_gpus(1, 2) == "2,3"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    assert [visible_gpus(share, 2) for share in range(2)] == ["4,5", "6,7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [visible_gpus(share, 1) for share in range(2)] == ["", ""]  # what the user hides stays hidden


@pytest.mark.parametrize(("cpus", "gpus", "wanted"), [(4, 0, "4 CPUs"), (2, 1, "2 CPUs and 1 GPUs")])
def test_a_training_that_no_node_can_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, cpus: int, gpus: int, wanted: str
) -> None:
    """Ray would wait for such a node for ever."""
    monkeypatch.setattr(cluster, "nodes", lambda: [Node(one, "10.0.0.1", 3, 0) for one in "ab"])
    with pytest.raises(UserError, match=f"a training takes {wanted}, and no node of the cluster has as many"):
        ClusterProcesses(cpus, gpus, "json")


def wait_forever(ask: Callable[[str], None]) -> None:
    ask("started")
    time.sleep(600)


def test_processes_end_with_the_block() -> None:
    started = Event()
    with ThreadPoolExecutor(1) as threads:
        with Processes() as processes:
            call = threads.submit(processes.call, wait_forever, answer=lambda _: started.set())
            assert started.wait(60)
        with pytest.raises(UserError, match="ended with status -15"):
            call.result(timeout=10)


def test_a_job_can_be_pickled(tmp_path: Path) -> None:
    job = Job(small_params(), data(), tmp_path)
    copy = pickle.loads(pickle.dumps(job))
    assert copy.params.flat() == job.params.flat() and (copy.data["train"].pixels == job.data["train"].pixels).all()


def fail(status: int) -> None:
    raise Failed("it failed", status)


def test_an_error_in_a_process_is_raised_here() -> None:
    with pytest.raises(Failed, match="it failed") as raised:
        call_in_process(fail, 1)
    assert raised.value.status == 1


def kill_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_a_user_error() -> None:
    with pytest.raises(UserError, match="was killed; it probably ran out of memory"):
        call_in_process(kill_yourself)


class NeedsTwo(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def fail_oddly() -> None:
    raise NeedsTwo("cannot", "travel")


def return_a_function() -> object:
    return lambda: None


@pytest.mark.parametrize(("function", "reason"), [(fail_oddly, "NeedsTwo: cannot"), (return_a_function, "pickle")])
def test_what_cannot_be_pickled_is_told_as_text(function: Any, reason: str) -> None:
    with pytest.raises(Exception, match=reason):
        call_in_process(function)
