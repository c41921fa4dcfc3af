"""Searches that nobody ran: trials with scores by a formula."""

from typing import Any

import numpy as np

from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.tune.choice import Found, choose, finalists
from darkroom.tune.trial import Drawn, FreshRun, Trial

SPACE: dict[str, Any] = {
    "train": {
        "learning_rate": {"low": 0.0001, "high": 0.1, "log": True},
        "optimizer": {"choices": ["adam", "sgd", "muon"]},
        "momentum": {"low": 0.5, "high": 0.99, "when": {"train.optimizer": ["sgd"]}},
    },
    "model": {
        "filters": {"choices": [[16, 32], [32, 64], [32, 64, 128], [32, 64, 128, 256, 512]]},
        "dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
        "batch_norm": {"choices": [True, False]},
    },
    "augment": {"brightness": {"low": 0.0, "high": 0.4}},
}


def tune_section(**changes: Any) -> Tune:
    values = {
        "enabled": True,
        "trials": 40,
        "minutes": 0,
        "epochs": 6,
        "metric": "accuracy",
        "costs": [],
        "tolerance": 0.01,
        "sampler": "tpe",
        "pruner": "halving",
        "batch": 4,
        "finalists": 3,
        "fresh_seeds": 3,
        "seed": 0,
        "space": SPACE,
    }
    return Tune(**{**values, **changes})


def _overlay(random: np.random.Generator) -> Overlay:
    optimizer = ["adam", "sgd", "muon"][int(random.integers(3))]
    train = {"learning_rate": float(10 ** random.uniform(-4, -1)), "optimizer": optimizer}
    if optimizer == "sgd":
        train["momentum"] = float(random.uniform(0.5, 0.99))
    filters = SPACE["model"]["filters"]["choices"][int(random.integers(4))]
    model = {"filters": filters, "dropout": int(random.integers(6)) / 10, "batch_norm": bool(random.integers(2))}
    return {"train": train, "model": model, "augment": {"brightness": float(random.uniform(0, 0.4))}}


def _trial(random: np.random.Generator, number: int, tune: Tune) -> Trial:
    overlay = _overlay(random)
    off = abs(np.log10(overlay["train"]["learning_rate"]) + 2.5)
    quality = 0.8 - 0.15 * off - 0.2 * overlay["model"]["dropout"] ** 2 + 0.03 * overlay["model"]["batch_norm"]
    quality = float(np.clip(quality + 0.01 * len(overlay["model"]["filters"]) + random.normal(0, 0.01), 0.1, 0.99))
    losses = [2.3 - 2.3 * quality * (1 - np.exp(-(epoch + 1) / 2)) for epoch in range(tune.epochs)]
    curve = [{"epoch": float(n + 1), "validation_log_loss": float(loss)} for n, loss in enumerate(losses)]
    drawn, seconds = Drawn(number, overlay), 10.0 + number
    if number % 17 == 11:
        return Trial(drawn, "refused", reason="model.pool_size: the map has shrunk to nothing after 4 blocks")
    if number % 19 == 12:
        diverged = {"epoch": 2.0, "validation_log_loss": float("nan")}
        return Trial(
            drawn, "failed", curve=[curve[0], diverged], seconds=2, reason="the loss is not a number in epoch 2"
        )
    if tune.pruner != "none" and number and losses[1] > 1.35:
        return Trial(drawn, "pruned", curve=curve[:2], seconds=seconds / 3, reason="behind the better half at epoch 2")
    width = sum(overlay["model"]["filters"])
    scores = {"accuracy": quality, "log_loss": losses[-1], "parameters": 1000.0 * width**1.5, "latency": 0.02 * width}
    return Trial(drawn, "complete", {**scores, "multiply_adds": 1e4 * width, "kilobytes": 4.0 * width}, curve, seconds)


def found_of(trials: int, repeatable: bool = True, obstacle: str = "", **changes: Any) -> Found:
    """Return a search of so many trials; `changes` are those of the section tune."""
    random, tune = np.random.default_rng(0), tune_section(**changes)
    ended = [_trial(random, number, tune) for number in range(trials)]
    runs = [
        FreshRun(
            one.number, seed, {name: value * 0.985 + random.normal(0, 0.004) for name, value in one.scores.items()}, 9.0
        )
        for one in finalists(ended, tune)
        for seed in (101, 202, 303)[: tune.fresh_seeds]
    ]
    return Found(ended, runs, choose(ended, runs, tune), tune, repeatable, obstacle)
