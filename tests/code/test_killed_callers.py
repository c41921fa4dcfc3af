"""Processes whose caller is killed while they ask it."""

import os
import subprocess
import sys
from collections.abc import Callable

from pictures import ROOT
from sessions import wait_for

CALLER = r"""
import os
from concurrent.futures import ThreadPoolExecutor
from darkroom.execution.processes import Processes
from test_killed_callers import ask_for_ever

with Processes() as processes, ThreadPoolExecutor(8) as threads:
    for _ in range(8):
        threads.submit(processes.call, ask_for_ever, answer=lambda first: first and os.write(1, b"asked\n"))
"""


def ask_for_ever(ask: Callable[[bool], None]) -> None:
    """Ask, the first time with True."""
    ask(True)
    while True:
        ask(False)


def test_processes_end_without_a_word_when_their_caller_is_killed() -> None:
    folders = os.pathsep.join(str(ROOT / name) for name in ("src", "tests", "tests/code"))
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER],
        env={**os.environ, "PYTHONPATH": folders},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert caller.stdout
    lines = [caller.stdout.readline() for _ in range(8)]
    caller.kill()
    assert lines == ["asked\n"] * 8 and caller.communicate(timeout=120) == ("", "")
    wait_for(caller.pid, range(1))
