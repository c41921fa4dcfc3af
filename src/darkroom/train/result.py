"""The model and the report of a training."""

from pathlib import Path
from typing import Any

from darkroom.core.files import file_digest
from darkroom.examples.predictions import Predictions
from darkroom.examples.saving import save_network
from darkroom.models.combine import combine
from darkroom.params.declared import DeclaredParams
from darkroom.train.fit import Fit


def save_combined(fits: list[Fit], average: str, path: Path) -> str:
    """Write the networks as one model (models.combine) and return the digest of its file."""
    save_network(combine([fitted.network for fitted in fits], average), path)
    return file_digest(path)


def summarise(fits: list[Fit], answers: dict[str, Predictions], params: DeclaredParams, weights: str) -> dict[str, Any]:
    """Return the report: epochs, size, the scores on train and validation, and what decides the last bits.

    `answers` are those on train and validation, `weights` is the digest of the model as it was saved. Of several
    networks the epochs are those of all, and the best epoch is the first one's.
    """
    networks = [fitted.network for fitted in fits]
    return {
        "epochs": sum(len(fitted.history) for fitted in fits),
        "best_epoch": fits[0].best_epoch,
        "best_epochs": [fitted.best_epoch for fitted in fits],
        "networks": len(fits),
        "parameters": sum(network.count_params() for network in networks),
        "classes": list(answers["train"].classes),
        "threads": params.train.threads,
        **{name: part.scores() for name, part in answers.items()},
        "digest": weights,
    }
