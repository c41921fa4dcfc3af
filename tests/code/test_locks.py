"""Locks between processes: a wait says for whom, and ends with the holder."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from darkroom.execution import locks
from darkroom.execution.locks import locked
from darkroom.execution.logs import configure_logging

HOLD = """
import sys
from pathlib import Path
from darkroom.execution.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_wait_names_the_holder_and_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.lock"
    monkeypatch.setattr(locks, "SECONDS_IN_SILENCE", 0.01)
    configure_logging("train")
    with holder(file) as process:

        def log(message: str, *values: object) -> None:
            print(message % values)
            process.kill()

        monkeypatch.setattr(locks.logger, "info", log)
        with locked(file):
            assert f"process {os.getpid()} " in (tmp_path / "a.lock.owner").read_text()
    said = capsys.readouterr().out
    assert said.startswith(f"waiting for {file}, held by process {process.pid} (-c) on {platform.node()} since 20")
    assert len(said.splitlines()) == 1


def test_without_a_wait_nothing_is_said_and_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("train")
    for _ in range(2):
        with locked(tmp_path / "a.lock"):
            pass
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "a.lock.owner").exists()


def test_a_failure_releases_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(tmp_path / "a.lock"):
            raise ZeroDivisionError
