"""Runs of a pipeline in a store of MLflow, and the answers of their models."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import PIPELINE_TAG

MODEL = "runs-command"


def answers(wrong: int, ids: list[str], split: str) -> pd.DataFrame:
    """Return the answers of a model that takes the first cats for dogs; the first half of the pictures are cats."""
    labels = np.repeat(["cat", "dog"], len(ids) // 2)
    sure = np.where((labels == "cat")[:, None], [0.9, 0.1], [0.2, 0.8])
    sure[:wrong] = sure[:wrong, ::-1]
    columns = {"image_id": ids, "split": split, "label": labels, "predicted": np.array(["cat", "dog"])[sure.argmax(1)]}
    return pd.DataFrame(columns | {"probabilities": list(sure.astype(np.float32))})


def add_run(client: MlflowClient, folder: Path, name: str, answered: pd.DataFrame | None, **params: Any) -> str:
    """Record the run of a pipeline as `package` does, in the experiment `runs`; return its id.

    `params` has the keys of params.yaml with __ for the dot.
    """
    found = client.get_experiment_by_name("runs")
    experiment = found.experiment_id if found else client.create_experiment("runs", folder.as_uri())
    tags = {PIPELINE_TAG: name, "mlflow.source.git.commit": "c0ffee" + "0" * 34}
    run_id: str = client.create_run(experiment, tags=tags, run_name=name).info.run_id
    log = RunLogger(client, run_id)
    given = {key.replace("__", "."): value for key, value in params.items()}
    log.log_params({"package.name": MODEL, "train.epochs": 3} | given)
    log.log_dataset("pets", "0123456789", {"train": 9, "validation": 1, "test": 60, "classes": 2}, "pipeline")
    if answered is not None:
        on_test = answered[answered["split"] == "test"]
        log.log_metrics({"test_accuracy": float((on_test["label"] == on_test["predicted"]).mean()), "epoch/loss": 1.0})
        answered.to_parquet(folder / "answers.parquet")
        log.log_file(folder / "answers.parquet")
    client.set_terminated(run_id)
    return run_id
