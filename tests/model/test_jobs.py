"""A training in a process of its own gives what it gives here."""

import os
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.execution.workers import call_in_process
from darkroom.train.jobs import Job, run_job, run_job_in_process
from easy import data, small_params, weights_digest


def test_a_job_in_a_process_of_its_own_gives_the_same_weights(tmp_path: Path) -> None:
    job = Job(small_params(train={"epochs": 2}), data(), tmp_path, tmp_path / "apart")
    here, apart = run_job(Job(job.params, job.data, tmp_path)), run_job_in_process(job)
    assert weights_digest(apart.network) == weights_digest(here.network)
    assert apart.history.equals(here.history) and apart.best_epoch == here.best_epoch
    assert (tmp_path / "apart" / "last.npz").exists()
    assert [layer.name for layer in apart.network.layers] == [layer.name for layer in here.network.layers]


def test_a_job_can_be_pickled(tmp_path: Path) -> None:
    job = Job(small_params(), data(), tmp_path)
    copy = pickle.loads(pickle.dumps(job))
    assert copy.params.flat() == job.params.flat() and (copy.data["train"].pixels == job.data["train"].pixels).all()


def fail(status: int) -> None:
    raise UserError("it failed", status)


def test_an_error_in_a_process_is_raised_here() -> None:
    with pytest.raises(UserError, match="it failed") as raised:
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
