"""The report of a training."""

from typing import Any

from darkroom.data.pixels import Examples
from darkroom.evaluation.metrics import score_split
from darkroom.params.declared import DeclaredParams
from darkroom.training.fit import Fit


def summarise(fitted: Fit, data: dict[str, Examples], params: DeclaredParams, weights: str) -> dict[str, Any]:
    """Return the report: epochs, size, the scores on train and validation, and what decides the last bits.

    `weights` is the digest of the saved network.
    """
    size = params.train.batch_size
    return {
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "parameters": fitted.network.count_params(),
        "classes": list(data["train"].classes),
        "threads": params.train.threads,
        "train": score_split(fitted.network, data["train"], size),
        "validation": score_split(fitted.network, data["validation"], size),
        "digest": weights,
    }
