"""The report of a training."""

from typing import Any

from darkroom.params.declared import DeclaredParams
from darkroom.train.ensemble import Data, Fold, Member, score_members
from darkroom.train.fit import Fit


def summarise(
    ensemble: list[Member],
    fits: list[Fit],
    data: dict[Fold, Data],
    params: DeclaredParams,
    weights: str,
) -> dict[str, Any]:
    """Return the report: epochs, size, the scores on train and validation, and what decides the last bits.

    `weights` is the digest of the model as it was saved. Of several networks the epochs are those of all, and the
    best epoch is the first one's.
    """
    networks = [fitted.network for fitted in fits]
    return {
        "epochs": sum(len(fitted.history) for fitted in fits),
        "best_epoch": fits[0].best_epoch,
        "best_epochs": [fitted.best_epoch for fitted in fits],
        "networks": len(fits),
        "parameters": sum(network.count_params() for network in networks),
        "classes": list(next(iter(data.values()))["train"].classes),
        "threads": params.train.threads,
        **score_members(ensemble, networks, data, params.model.average, params.train.batch_size),
        "digest": weights,
    }
