import os
import signal
import subprocess
import sys
from pathlib import Path

from darkroom.execution.scratch import scratch_folder

HOLD = """
import sys
from pathlib import Path
from darkroom.execution.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def folders(cache: Path) -> set[Path]:
    return set((cache / "scratch").glob("*/"))


def printed(run: subprocess.Popen[str]) -> Path:
    assert run.stdout is not None
    return Path(run.stdout.readline().strip())


def test_a_folder_ends_with_its_block_and_what_a_killed_run_left_is_deleted_but_not_what_is_used(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    runs = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    killed, used = (printed(run).parent for run in runs)
    os.kill(runs[0].pid, signal.SIGKILL)
    runs[0].wait()
    assert folders(tmp_path) == {killed, used}
    with scratch_folder(tmp_path) as own:
        assert folders(tmp_path) == {own.parent, used}
    runs[1].communicate("")
    assert folders(tmp_path) == set()
