"""What the searches of search_study.py have in common: pictures, space, first setting, length of a training."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from cost import session_members

EPOCHS, THREADS = 6, 1
CLASSES, DENSE, SIDE = 10, 128, 16
KEPT_OF, RANDOM_TRIALS = 3, 5  # of halving and of TPE, as those of darkroom.tune
Setting = dict[str, dict[str, Any]]  # section -> key -> value
SPACE: dict[str, dict[str, dict[str, Any]]] = {
    "train": {
        "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
        "optimizer": {"choices": ["adam", "sgd", "rmsprop"]},
        "batch_size": {"choices": [32, 64, 128]},
        "label_smoothing": {"low": 0.0, "high": 0.2, "step": 0.05},
    },
    "model": {
        "filters": {"choices": [[8, 16, 32], [16, 32, 64], [32, 64, 128]]},
        "dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
        "block_dropout": {"low": 0.0, "high": 0.4, "step": 0.1},
    },
    "augment": {"horizontal_flip": {"choices": [False, True]}},
}
START: Setting = {
    "train": {"learning_rate": 1e-3, "optimizer": "adam", "batch_size": 64, "label_smoothing": 0.0},
    "model": {"filters": [16, 32, 64], "dropout": 0.2, "block_dropout": 0.0},
    "augment": {"horizontal_flip": False},
}
SHIFT = 0.0625  # a pixel, in all trainings
Split = tuple[np.ndarray, np.ndarray]  # pixels (n, 16, 16, 3) uint8, labels (n,) int32


def load(file: Path, *names: str) -> dict[str, Split]:
    """Return the named splits; the others are not read."""
    data = np.load(file)
    return {name: (data[name], data[f"{name}_labels"].astype(np.int32)) for name in names}


def report(**found: Any) -> None:
    """Print a line of JSON: what was found, and the CPU seconds of all processes of this session."""
    cpu = sum(seconds for _, seconds in session_members(os.getsid(0)))
    print(json.dumps({**found, "cpu": cpu}))
