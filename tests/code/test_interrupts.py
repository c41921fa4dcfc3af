import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from darkroom.execution import workers
from darkroom.execution.interrupts import Terminated, deferred_interrupts, sigterm_raises
from pictures import ROOT

BOTH = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


def send(number: int = signal.SIGINT) -> None:
    """Signal this thread: one to the process may go to another, and be raised here only after the test."""
    signal.raise_signal(number)


@pytest.mark.parametrize(("number", "raised"), BOTH)
def test_one_signal_waits_for_the_end(number: int, raised: type[BaseException]) -> None:
    done = []
    with pytest.raises(raised), sigterm_raises(), deferred_interrupts():
        send(number)
        done.append("all")
    assert done == ["all"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_does_not_wait(number: int) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), sigterm_raises(), deferred_interrupts():
        send()
        send(number)
        done.append("all")
    assert done == []


def test_a_signal_is_not_lost_with_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        send()
        raise ZeroDivisionError


def test_the_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number, _ in BOTH]
    with sigterm_raises(), deferred_interrupts():
        pass
    assert [signal.getsignal(number) for number, _ in BOTH] == before


def test_ctrl_c_while_the_server_of_workers_starts_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ensure_running", send)
    with pytest.raises(KeyboardInterrupt):
        workers.start_server()


SLOW = """
import pathlib, time
pathlib.Path("begun").touch()
time.sleep(1)
"""
DRIVER = """
import time
from darkroom.execution.workers import prepare_workers
prepare_workers("slow")
try:
    open("waits", "w").close()
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
"""


def test_ctrl_c_while_the_server_of_workers_imports_prints_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    known = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "src")])}
    command = [sys.executable, "-c", DRIVER]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # a shell that runs something in the background has it ignore Ctrl-C, which would be inherited
    with subprocess.Popen(command, cwd=tmp_path, env=known, process_group=0, preexec_fn=_ctrl_c, **pipes) as driver:
        while not ((tmp_path / "begun").exists() and (tmp_path / "waits").exists()):
            assert driver.poll() is None
            time.sleep(0.02)
        os.killpg(driver.pid, signal.SIGINT)
        assert driver.communicate() == ("stopped\n", "")


def _ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
