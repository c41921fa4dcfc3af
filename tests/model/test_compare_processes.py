"""A comparison with real trainings in processes, whose driving process is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cheap_comparison import change, table_of, write_workspace
from pictures import ROOT
from sessions import wait_for

COMPARE = "from darkroom.cli.main import main; main(['compare', 'mine', '--seeds', '2'])"


def start(root: Path) -> subprocess.Popen[str]:
    """Start `darkroom compare` in a session of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", COMPARE]
    return subprocess.Popen(
        command, cwd=root, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=-1, text=True
    )


@pytest.mark.slow
def test_a_comparison_that_is_killed_goes_on_and_leaves_no_process(tmp_path: Path, new_store: Path) -> None:
    write_workspace(tmp_path)
    shutil.copy(new_store, tmp_path)
    change(tmp_path, "base: {}", "set: {train.epochs: 2, train.threads: 1}")
    kept, table = tmp_path / ".cache/compare", tmp_path / "reports/comparisons/mine.csv"
    killed, end = start(tmp_path), time.monotonic() + 180
    while not list(kept.glob("*.json")):
        assert time.monotonic() < end and killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(60) == -signal.SIGKILL and not table.exists()
    wait_for(killed.pid, range(1))
    known = {file.name: file.stat().st_mtime_ns for file in kept.glob("*.json")}
    again = start(tmp_path)
    said = again.communicate(timeout=240)[1]
    assert again.returncode == 0 and f"{len(known)} of 6 trainings are known from before" in said
    assert 0 < len(known) < 6 and {name: (kept / name).stat().st_mtime_ns for name in known} == known
    assert list(table_of(tmp_path)["seeds"]) == [2, 2, 2] and len(list(kept.glob("*.json"))) == 6
    wait_for(again.pid, range(1))
