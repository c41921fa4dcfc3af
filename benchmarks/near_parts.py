"""The search for near duplicates on the pictures that ingest packed, part by part, in one process.

python benchmarks/near_parts.py              in a working copy, with PYTHONPATH=src
python benchmarks/near_parts.py PAIRS.npy    also writes the pairs, as rows of the readable pictures
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np


def clocked(seconds: dict[str, float], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return `work`, which adds the CPU seconds that it takes to `seconds`."""

    def call(*arguments: Any) -> Any:
        start = time.process_time()
        answer = work(*arguments)
        seconds[name] = time.process_time() - start
        return answer

    return call


def main(pairs_file: str | None) -> None:
    from darkroom.curation.pictures import Pictures, read_parts
    from darkroom.dedupe import near
    from darkroom.execution.workers import worker_pool
    from darkroom.params.load import load_params

    params = load_params(Path("params.yaml")).dedupe
    pictures = Pictures(partial(read_parts, Path("data/manifest.parquet")))
    near.FEW = len(pictures)  # so that it stays in this process
    seconds: dict[str, float] = {}
    near.find_candidates = clocked(seconds, "candidates", near.find_candidates)
    near.read_thumbnails = clocked(seconds, "thumbnails", near.read_thumbnails)
    near.similarity = clocked(seconds, "similarity", near.similarity)
    start, start_cpu = time.perf_counter(), time.process_time()
    pairs = near.find_near_pairs(pictures, Path("data/images"), params, Path(".cache"), worker_pool)
    whole = {"work": time.perf_counter() - start, "cpu": time.process_time() - start_cpu}
    if pairs_file:
        np.save(pairs_file, pairs)
    print(json.dumps(whole | seconds | {"pairs": len(pairs)}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
