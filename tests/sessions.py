"""The processes of a session that a test has started."""

import subprocess
import time


def running(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "Z" not in line.split()[1]]


def wait_for(session: int, number: range) -> None:
    """Wait until a session has a number of processes."""
    end = time.monotonic() + 90
    while len(running(session)) not in number:
        assert time.monotonic() < end
        time.sleep(0.1)
