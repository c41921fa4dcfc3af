"""Quick runs that find mistakes: a part of the data, one step of everything, or one batch learnt by heart."""

from dataclasses import replace

import numpy as np
import pandas as pd

from darkroom.examples.pixels import Examples
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay

PLAIN = {"horizontal_flip": False, "vertical_flip": False, "rotation": 0.0, "shift": 0.0, "zoom": 0.0, "shear": 0.0}
PLAIN |= {"crop": 1.0, "brightness": 0.0, "contrast": 0.0, "rand_augment": 0, "erase": 0.0, "mixup": 0.0, "cutmix": 0.0}
OVERLAYS: dict[str, Overlay] = {
    "none": {},
    "step": {
        "train": {"epochs": 1, "small_epochs": 0},
        "finetune": {"epochs": 1},
        "tune": {"epochs": 1, "trials": 1, "finalists": 0},
    },
    "overfit": {
        "train": {"epochs": 200, "small_epochs": 0, "patience": 0, "keep": "last", "schedule": "cosine", "warmup": 0.0}
        | dict.fromkeys(["label_smoothing", "l2", "weight_decay", "clip_norm", "ema"], 0.0),
        "model": {"dropout": 0.0, "block_dropout": 0.0},
        "augment": PLAIN,
        "finetune": {"epochs": 0},
        "tune": {"enabled": False, "space": {}},  # it might bring a dropout back, or ask for patience
    },
}


def debug_params(params: DeclaredParams) -> DeclaredParams:
    """Return the parameters as `debug.mode` changes them."""
    overlay = dict(OVERLAYS[params.debug.mode])
    if not params.finetune.epochs:
        overlay.pop("finetune", None)  # a step does not add a part
    return params.overlaid(overlay, "params.yaml")


def debug_data(data: dict[str, Examples], params: DeclaredParams) -> dict[str, Examples]:
    """Return the pictures that `debug` leaves: a seeded share of each split, or one batch.

    To overfit, the batch that is learnt is also the one that validates.
    """
    mode, batch, seed = params.debug.mode, params.train.batch_size, params.train.seed
    few = {name: _some(part, max(round(len(part) * params.debug.fraction), 2), seed) for name, part in data.items()}
    if mode == "none":
        return few
    few = {name: _some(part, batch, seed) for name, part in few.items()}
    if mode == "step":
        return few
    batch_alone = replace(few["train"], weights=None, copies=None)
    return {**few, "train": batch_alone, "validation": batch_alone}


def overfit_verdict(history: pd.DataFrame) -> str:
    """Return whether the network of `history` (one row per epoch) has learnt its batch, which also validated it."""
    last = history.iloc[-1]
    result = f"{last['validation_accuracy']:.1%} of the batch is right, loss {last['validation_loss']:.2g}"
    if last["validation_accuracy"] == 1:
        return f"the network memorised the batch: {result}"
    return f"the batch is not learnt: {result}; check train.learning_rate, the labels, then the network"


def _some(part: Examples, count: int, seed: int) -> Examples:
    if count >= len(part):
        return part
    chosen = np.sort(np.random.default_rng(seed).permutation(len(part))[:count])
    weights, copies = (None if values is None else values[chosen] for values in (part.weights, part.copies))
    return replace(part, rows=part.rows[chosen], labels=part.labels[chosen], weights=weights, copies=copies)
