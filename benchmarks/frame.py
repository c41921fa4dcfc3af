"""Runs one stage in its frame, as its script does, and prints a line of JSON that says how long which part took.

python benchmarks/frame.py ingest            in a working copy, with PYTHONPATH=src
python benchmarks/frame.py ingest --empty    ends where the work would begin
"""

import importlib
import json
import os
import sys
import time
from typing import Any


def run(name: str, empty: bool) -> None:
    """Run the stage; its work is the script's own, or nothing."""
    sys.path.insert(0, "pipeline")
    sys.modules["__main__"].__file__ = f"pipeline/{name}.py"  # what worker processes load first
    work = getattr(importlib.import_module(name), name)
    from darkroom.stage import run_stage

    def timed(stage: Any) -> Any:
        start = time.perf_counter()
        if empty:
            stop()
        report = work(stage)
        print(json.dumps({"work": time.perf_counter() - start}))
        return report

    timed.__name__ = name
    run_stage(timed)


def stop() -> None:
    """End the process at once; say which of the heavy libraries are loaded."""
    heavy = [
        name for name in ("tensorflow", "keras", "great_expectations", "matplotlib", "sklearn") if name in sys.modules
    ]
    print(json.dumps({"loaded": heavy}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    run(sys.argv[1], "--empty" in sys.argv)
