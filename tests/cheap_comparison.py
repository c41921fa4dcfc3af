"""A workspace in which `darkroom compare` trains in no time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.core.tables import SPLITS
from darkroom.experiments import comparison_data, comparison_running
from darkroom.train.jobs import Job
from darkroom.train.measuring import Measured
from pictures import ROOT, class_files, ingested, write_files

PIPELINE = "stages: {train: {deps: [], params: [train, model, finetune, augment, image, ensemble, debug, tracking]}}"
VARIANTS = "base: {}\nvariants:\n  better: {model.dropout: 0.5}\n  same: {model.dropout: 0.1}\n"
GAINS = {0.5: 0.05, 0.1: 0.0}  # by model.dropout


class Trainings:
    """Stands in for the processes: gives scores, or fails, by the parameters; notes what it was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs: list[Job] = []
        self.fails: dict[float, list[BaseException]] = {}  # by model.dropout; the last one stays

    def __enter__(self) -> "Trainings":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def call(self, *_: Any) -> int:
        return 2

    def measure(self, _: "Trainings", job: Job, names: tuple[str, ...], device: int | None) -> Measured:
        assert device in (0, 1)
        self.jobs.append(job)
        dropout, seed = job.params.model.dropout, job.params.train.seed
        if reasons := self.fails.get(dropout):
            raise reasons.pop(0) if len(reasons) > 1 else reasons[0]
        noise = np.random.default_rng([seed, int(100 * dropout)]).normal(0, 0.004)
        accuracy = 0.8 + 0.01 * seed + GAINS.get(dropout, 0.0) + noise
        return Measured({name: {"accuracy": accuracy, "log_loss": 0.5} for name in names}, 2.0, {"parameters": 9})

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the processes until the end of the test."""
        patch.setattr(comparison_running, "training_processes", lambda _: self)
        patch.setattr(comparison_running, "measure_in_process", self.measure)
        patch.setattr(comparison_running, "prepare_processes", lambda: None)
        patch.setattr(comparison_data, "worker_pool", threads)


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def write_workspace(root: Path) -> None:
    """Write a workspace whose packed pictures lack those of the test split, and the comparison `mine`."""
    manifest = ingested(write_files(root / "source", class_files("cat", "dog", each=5)), root / "data/images")
    manifest.loc[manifest["path"] == "cat/0.png", "width"] = 30  # a landscape picture
    manifest.to_parquet(root / "data/manifest.parquet")
    part = [("train" if path[4] in "012" else "validation") for path in manifest["path"]]
    rows = pd.DataFrame({"image_id": manifest["image_id"], "label": manifest["label"], "split": part})
    rows.loc[len(rows)] = ["f" * 20, "cat", "test"]
    table = rows.assign(weight=1.0, copies=1).reindex(columns=list(SPLITS)).astype(SPLITS)
    table.to_parquet(root / "data/splits.parquet")
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("experiment: darkroom", f"experiment: {root.name}")
    files = {"params.yaml": params, "dvc.yaml": PIPELINE, "comparisons/mine.yaml": VARIANTS}
    write_files(root, {name: text.encode() for name, text in files.items()})


def table_of(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "reports/comparisons/mine.csv").set_index("variant")


def change(root: Path, old: str, new: str) -> None:
    """Replace text of the comparison."""
    file = root / "comparisons/mine.yaml"
    file.write_text(file.read_text().replace(old, new))
