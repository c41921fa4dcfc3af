"""A tiny problem that a network learns in seconds: warm pictures against cold ones."""

from hashlib import sha256
from typing import Any

import numpy as np

from darkroom.examples.pixels import Examples
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import with_overlay
from darkroom.params.model import Model
from defaults import default_params

CLASSES = ("cold", "warm")
SMALL: dict[str, dict[str, Any]] = {
    "image": {"size": 8},
    "model": {"filters": [4], "kernel": 3, "dense": [8], "dropout": 0.1},
    "augment": {"rotation": 5.0, "shift": 0.05, "horizontal_flip": True},
    "train": {"epochs": 4, "batch_size": 16, "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant"}
    | {"step_epochs": [], "patience": 0, "seed": 0, "threads": 2},
    "finetune": {},
    "debug": {},
    "tune": {"enabled": False, "trials": 8, "metric": "log_loss", "seed": 0, "space": {}},
}


def small_params(**changes: dict[str, Any]) -> DeclaredParams:
    """Return parameters of a tiny network; `changes` is {section: {key: value}}."""
    sections = {name: {**SMALL.get(name, {}), **changes.get(name, {})} for name in {*SMALL, *changes}}
    params = with_overlay(default_params(), sections, "test")
    return DeclaredParams(params, list(sections), "test")


def model_params(**changes: Any) -> Model:
    """Return the tiny network's section with other keys."""
    return small_params(model=changes, image={"size": 64}).model


def examples(count: int, seed: int, turned: bool = False, side: int = 8) -> Examples:
    """Return noisy pictures, every other one reddish (warm), the rest bluish; `turned` swaps the labels."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.int32)
    pixels = random.integers(0, 120, (count, 8, 8, 3))
    pixels[labels == 1, :, :, 0] += 120
    pixels[labels == 0, :, :, 2] += 120
    pixels = pixels.repeat(side // 8, axis=1).repeat(side // 8, axis=2)
    return Examples(pixels.astype(np.uint8), np.arange(count), 1 - labels if turned else labels, CLASSES)


def data(turned: bool = False, side: int = 8) -> dict[str, Examples]:
    """Return train and validation; `turned` swaps the labels of validation."""
    return {"train": examples(96, 1, side=side), "validation": examples(32, 2, turned, side)}


def weights_digest(network: Any) -> str:
    """Return what differs as soon as a bit of a weight does."""
    return sha256(b"".join(weight.tobytes() for weight in network.get_weights())).hexdigest()
