"""What a command costs, with all processes below it: time, processor time, memory."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLES_PER_SECOND = 10


@dataclass(frozen=True)
class Cost:
    """What a command used.

    `cpu` is user and system time of every process that its parent waited for; sampled, of the others too (nobody waits
    for the process that workers are forked from). `largest` is the peak of the one
    process that held most memory (resident). `together` is the peak of all processes at one moment: the sum of
    their PSS, in which a page shared by several counts once; sampled, and 0 when that was not asked for.
    """

    wall: float  # seconds
    cpu: float  # seconds
    largest: float  # MB
    together: float  # MB
    output: str


def measure(command: list[str], folder: Path, env: dict[str, str], sampled: bool = False) -> Cost:
    """Run a command to its end and return its cost; exits with its output when it fails."""
    ended, peak = threading.Event(), [0.0, 0.0]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output, start_new_session=True)
        if sampled:
            threading.Thread(target=_sample, args=(child.pid, ended, peak), daemon=True).start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        ended.set()
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}\n{text}")
    cpu = max(usage.ru_utime + usage.ru_stime, peak[1])
    return Cost(wall, cpu, usage.ru_maxrss * 1024 / 1e6, peak[0], text)


def _sample(session: int, ended: threading.Event, peak: list[float]) -> None:
    while not ended.wait(1 / SAMPLES_PER_SECOND):
        members = session_members(session)
        peak[0] = max(peak[0], sum(memory_of(pid) for pid, _ in members))
        peak[1] = max(peak[1], sum(seconds for _, seconds in members))


def session_members(session: int) -> list[tuple[int, float]]:
    """Return (id, CPU seconds so far) of the processes of a session: a command started in one, and all below it.

    The seconds of a child that ended and was waited for are those of its parent.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session:
            found.append((int(folder.name), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")))
    return found


def memory_of(process: int) -> float:
    """Return the MB of a process, its share of shared pages included; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:")), 0.0)
