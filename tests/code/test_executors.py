"""Why execution/ is no dependency in dvc.yaml: the outputs are byte for byte the same, whichever executor is used."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.core.errors import UserError
from darkroom.core.files import file_digest, write_value
from darkroom.curation.issues import find_issues
from darkroom.dedupe import near
from darkroom.dedupe.curate import curate_pictures
from darkroom.dedupe.near import find_near_pairs
from darkroom.examples.pixel_cache import open_pixels
from darkroom.execution.workers import worker_pool
from darkroom.ingest import ingest
from darkroom.ingest.listing import list_entries, open_source
from defaults import default_params
from pictures import ANY, class_files, encode, noise, packed, pictures_of, write_files

FILES = class_files("cat", "dog", each=5) | {
    "cat/again.png": encode(noise("cat1", 32)),
    "dog/again.png": encode(noise("cat1", 32).resize((40, 40))),
    "dog/broken.jpg": encode(noise("x", 64), "JPEG")[:500],
    "dog/large.jpg": encode(noise("y", 200), "JPEG"),
}


class Serial(Executor):
    """Does the work at once, in this process."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*arguments, **options))
        return done


def outputs(source: Path, root: Path, pool: AbstractContextManager[Executor]) -> dict[str, str]:
    """Do what ingest, dedupe and the loading of pixels do; return the digest of every file and of the pixels."""
    params = default_params()
    with open_source(source, "test") as opened, pool as executor:
        manifest = packed(opened, list_entries(opened, ANY)[0], root / "images", root / "cache", executor)
        pixels = open_pixels(root / "images", params.image, root / "cache", executor)
        inputs = root / "images", params.dedupe, root / "cache", lambda: nullcontext(executor)
        pictures = pictures_of(manifest)
        near_pairs = find_near_pairs(pictures, *inputs)
    curated = curate_pictures(pictures, near_pairs, params.dedupe, params.balance)
    tables = {"manifest": manifest, "curated": curated, "issues": find_issues(pictures, curated, params.dedupe.issues)}
    for name, table in tables.items():
        write_value(root / name, table, ".parquet")
    np.save(root / "pixels.npy", pixels[np.arange(len(pixels))])
    files = [path for path in [*root.iterdir(), *(root / "images").iterdir()] if path.is_file()]
    return {path.relative_to(root).as_posix(): file_digest(path) for path in files}


def test_outputs_do_not_depend_on_the_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "FILES_PER_SHARD", 2)
    source = write_files(tmp_path / "raw" / "pets", FILES)
    pools: dict[str, AbstractContextManager[Executor]] = {
        "one process": Serial(),
        "serial": Serial(),
        "threads": ThreadPoolExecutor(3),
        "processes": worker_pool(),
    }
    found = {}
    for name, pool in pools.items():
        (tmp_path / name).mkdir()
        found[name] = outputs(source, tmp_path / name, pool)
        monkeypatch.setattr(near, "FEW", 0)  # the first search is of one process alone
    assert sum(name.startswith("images/") for name in found["serial"]) > 2
    assert found["one process"] == found["serial"] == found["threads"] == found["processes"]


def test_there_are_as_many_workers_as_cores_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # what joblib counts, like the limit of a container
    with worker_pool() as pool:
        assert vars(pool)["_max_workers"] == 1


def end_later() -> None:
    time.sleep(0.5)
    os._exit(1)


def test_a_pool_whose_processes_die_while_work_is_cancelled_ends_in_one_line() -> None:
    with pytest.raises(UserError, match="a worker process was killed"), worker_pool() as pool:
        deadly = [pool.submit(end_later) for _ in range(vars(pool)["_max_workers"] + 1)]  # that wait in its queue
        assert all(pool.submit(len, "four").cancel() for _ in range(3))
        deadly[0].result()
