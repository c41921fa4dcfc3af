"""Where everything is: the table of the files that stages pass to each other."""

import os
from pathlib import Path

ARTEFACTS = {
    "raw": "data/raw",
    "corrections": "data/corrections.csv",
    "feedback": "data/feedback",
    "images": "data/images",
    "manifest": "data/manifest.parquet",
    "expectations": "expectations.yaml",
    "accepted": "data/accepted.json",
    "curated": "data/curated.parquet",
    "issues": "data/issues.parquet",
    "splits": "data/splits.parquet",
    "data_report": "reports/data.html",
    "weights": "data/weights",
    "best": "models/tune/best.yaml",
    "trials": "models/tune/trials.csv",
    "tune_page": "reports/tune.html",
    "augmented": "reports/augmented.png",
    "model": "models/model.keras",
    "validation_answers": "models/validation_answers.parquet",
    "decision": "models/decision",
    "history": "models/history.csv",
    "plots": "reports/plots",
    "per_class": "reports/per_class.csv",
    "confusion": "reports/confusion_matrix.csv",
    "answers": "reports/answers.parquet",
    "label_issues": "reports/label_issues.csv",
    "slices": "reports/slices.csv",
    "corruptions": "reports/corruptions.csv",
    "curves": "reports/curves",
    "evaluation_page": "reports/evaluation.html",
    "other": "data/other",
    "predictions": "reports/predictions.csv",
    "example": "reports/example.png",
    "bundle": "models/bundle",
    "model_card": "reports/MODEL_CARD.md",
}


def report_path(stage: str) -> str:
    """Return the path of the report of `stage`, relative to the workspace."""
    return f"reports/{stage}.json"


def workspace() -> Path:
    """Return the nearest folder with a dvc.yaml, from the current one upwards; without one, the current folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    return here


def project_root() -> Path:
    """Return the repository that owns the MLflow store and the cache.

    `dvc exp run --temp` and the queue run in a copy of the workspace; DVC names the repository in DVC_ROOT.
    """
    return Path(os.environ.get("DVC_ROOT") or workspace())


def cache_folder() -> Path:
    """Return the folder .cache, made if missing: it may be deleted at any time, and all experiments share it."""
    folder = project_root() / ".cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def checkpoint_folder(key: str) -> Path:
    """Return the folder of a training's checkpoints; `key` is the digest of its data, parameters and code."""
    return cache_folder() / "train" / key[:20]
