"""The report of a training."""

from typing import TYPE_CHECKING, Any

from darkroom.evaluation.metrics import score_split
from darkroom.params.declared import DeclaredParams
from darkroom.training.ensemble import Data, Fold, Member, score_validation
from darkroom.training.fit import Fit

if TYPE_CHECKING:
    import keras


def summarise(
    chosen: list[Member],
    fits: list[Fit],
    model: "keras.Model",
    data: dict[Fold, Data],
    params: DeclaredParams,
    weights: str,
) -> dict[str, Any]:
    """Return the report: epochs, size, the scores on train and validation, and what decides the last bits.

    `model` is what the networks of `fits` became together, `weights` the digest of it as it was saved. Of several
    networks the epochs are those of all, and the best epoch is the first one's.
    """
    train = next(iter(data.values()))["train"]
    size = params.train.batch_size
    networks = [one.network for one in fits]
    return {
        "epochs": sum(len(one.history) for one in fits),
        "best_epoch": fits[0].best_epoch,
        "best_epochs": [one.best_epoch for one in fits],
        "networks": len(fits),
        "parameters": sum(network.count_params() for network in networks),
        "classes": list(train.classes),
        "threads": params.train.threads,
        "train": score_split(model, train, size),
        "validation": score_validation(chosen, networks, data, params.model.average, size),
        "digest": weights,
    }
