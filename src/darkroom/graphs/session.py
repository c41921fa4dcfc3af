"""ONNX Runtime, set up for a server: a request is answered in few threads, and none waits in a loop."""

import os
from functools import cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container, cgroup v2: microseconds of CPU, or "max", in a period
THREADS = 2  # of a session, at most: clients bring more (benchmarks/runtimes.py)


def open_session(graph: Path | bytes) -> "onnxruntime.InferenceSession":
    """Load a graph, a file or its content; several threads may run it at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, cores())
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


@cache
def cores() -> int:
    """Return how many processor cores this process may use: its affinity, the limit of its container.

    macOS knows no affinity: there it is the number of cores of the machine.
    """
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return min(known, max(1, ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no container, or one without a limit
        return known
