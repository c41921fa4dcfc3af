"""Runs one stage as its script does, and prints a line of JSON that says how long the work took without the start.

python benchmarks/frame.py ingest            in a working copy, with PYTHONPATH=src
python benchmarks/frame.py ingest --empty    ends where the work would begin
"""

import json
import os
import resource
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any


def run(name: str, empty: bool) -> None:
    """Run the stage's script as it is, worker processes included; its work is timed, or left out."""
    from darkroom import stage

    run_stage = stage.run_stage
    stage.run_stage = lambda work: run_stage(timed(work, empty))
    runpy.run_path(f"pipeline/{name}.py", run_name="__main__")


def timed(work: Callable[[Any], Any], empty: bool) -> Callable[[Any], Any]:
    """Return the work with a clock around it."""

    def clocked(opened: Any) -> Any:
        start, start_cpu = time.perf_counter(), cpu()
        if empty:
            stop()
        report = work(opened)
        print(json.dumps({"work": time.perf_counter() - start, "cpu": cpu() - start_cpu}))
        return report

    clocked.__name__ = work.__name__
    return clocked


def cpu() -> float:
    """Return the CPU seconds of this process; those of workers are in the cost of the whole command."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def stop() -> None:
    """End the process at once; say which of the heavy libraries are loaded."""
    heavy = [
        name for name in ("tensorflow", "keras", "great_expectations", "matplotlib", "sklearn") if name in sys.modules
    ]
    print(json.dumps({"loaded": heavy}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    run(sys.argv[1], "--empty" in sys.argv)
