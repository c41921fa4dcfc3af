"""A search sees train and validation; the pictures of test might as well not exist."""

import ast
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.core.tables import SPLITS
from darkroom.examples.pixels import Examples, load_examples
from darkroom.images.packed import list_shards, shard_ids
from darkroom.params.load import read_yaml
from darkroom.tune import pictures
from darkroom.tune.pictures import picture_loader
from easy import small_params
from pictures import ROOT, class_files, ingested, inside, without_test, write_files

NAMES = ["train"] * 4 + ["validation"] * 2 + ["test"] * 3
Asked = list[tuple[str, ...]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Load with threads; note the splits that are asked for."""
    found: Asked = []

    @contextmanager
    def threads() -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(2) as pool:
            yield pool

    def noted(images: Path, splits: pd.DataFrame, image: Any, names: tuple[str, ...], pool: Any) -> dict[str, Examples]:
        found.append(names)
        return load_examples(images, splits, image, names, pool)

    monkeypatch.setattr(pictures, "worker_pool", threads)
    monkeypatch.setattr(pictures, "load_examples", noted)
    return found


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Return packed pictures and their splits."""
    images = tmp_path / "images"
    ingested(write_files(tmp_path / "pets", class_files("cat", "dog", "eel")), images)
    ids = np.sort(np.concatenate([shard_ids(shard) for shard in list_shards(images)]))
    labels = ["cat", "dog", "eel"] * 3
    table = pd.DataFrame({"image_id": ids, "label": labels, "split": NAMES, "weight": 1.0, "copies": 1})
    return images, table.reindex(columns=list(SPLITS)).astype(SPLITS)


def everything(data: dict[str, Examples]) -> dict[str, Any]:
    return {
        name: (part.image_ids.tolist(), part.pixels[part.rows].tolist(), part.labels.tolist(), part.classes)
        for name, part in data.items()
    }


def test_the_pictures_of_test_are_not_needed(project: tuple[Path, pd.DataFrame], asked: Asked, tmp_path: Path) -> None:
    images, splits = project
    found, params = [], small_params()
    for folder in (images, without_test(images, splits, tmp_path / "fewer")):
        root = tmp_path / f"root of {folder.name}"  # with a cache of its own
        root.mkdir()
        with inside(root), picture_loader(folder, splits, params) as load:
            found.append(everything(load(params)))
    assert found[0] == found[1] and found[0].keys() == {"train", "validation"}
    assert [len(found[0][name][0]) for name in ("train", "validation")] == [4, 2]
    assert not {*splits["image_id"][splits["split"] == "test"]} & {
        name for part in found[0].values() for name in part[0]
    }
    assert asked == [("train", "validation")] * 2


def test_each_way_to_decode_is_loaded_once(project: tuple[Path, pd.DataFrame], asked: Asked, tmp_path: Path) -> None:
    params = small_params()
    with inside(tmp_path), picture_loader(*project, params) as load:
        large = params.overlaid({"image": {"size": 16}}, "test")
        sides = [
            load(one)["train"].pixels[0].shape[0]
            for one in (params, large, params.overlaid({"train": {"seed": 3}}, "test"), large)
        ]
    assert sides == [8, 16, 8, 16] and len(asked) == 2


def test_leaving_the_search_ends_threads_that_decode(
    project: tuple[Path, pd.DataFrame], asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, begun, jobs = small_params(), Event(), list[Future[None]]()

    def slow(_images: Path, _splits: pd.DataFrame, image: Any, _names: tuple[str, ...], pool: Any) -> None:
        asked.append((str(image.size),))
        jobs.extend(pool.submit(sleep, 0.5) for _ in range(100))
        begun.set()
        for job in jobs:
            job.result()

    monkeypatch.setattr(pictures, "load_examples", slow)
    large = params.overlaid({"image": {"size": 16}}, "test")
    with ThreadPoolExecutor(2) as threads, picture_loader(*project, params) as load:
        futures = [threads.submit(load, candidate) for candidate in (params, large)]
        assert begun.wait(60)
    assert all(isinstance(future.exception(), CancelledError) for future in futures)
    assert sum(job.cancelled() for job in jobs) > 90 and len(asked) == 1


def test_tune_reads_nothing_that_was_measured_on_test() -> None:
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    after = {name for stage in ("train", "evaluate", "package") for name in outputs(stages[stage])}
    assert "reports/evaluate.json" in after and not after & {*stages["tune"]["deps"]}


def test_no_code_of_tune_names_the_test_split() -> None:
    folders = [path for path in read_yaml(ROOT / "dvc.yaml")["stages"]["tune"]["deps"] if path.startswith("src/")]
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    naming = {file.name for file in [*files, ROOT / "pipeline" / "tune.py"] if names_test(file)}
    assert len(files) > 50 and naming == {"tables.py"}  # the list of the splits' names


def names_test(file: Path) -> bool:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return "test" in constants or "SPLIT_NAMES" in {getattr(node, "id", getattr(node, "attr", "")) for node in nodes}


def outputs(stage: dict[str, Any]) -> set[str]:
    entries = [*stage.get("outs", []), *stage.get("plots", []), *stage["metrics"]]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}
