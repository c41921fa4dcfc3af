"""The learning-rate range test: the rate rises at each step until the loss does.

L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.augmentation.variation import Variation
from darkroom.core.errors import UserError
from darkroom.examples.pixels import Examples
from darkroom.params.declared import DeclaredParams
from darkroom.train.fit import build_trainer
from darkroom.train.optimizer import build_loss, build_optimizer
from darkroom.train.phases import phases, set_trainable

if TYPE_CHECKING:
    from darkroom.examples.batches import Batches

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 150
SMOOTHED = 0.9  # share of the loss so far in the smoothed one
TOO_MUCH = 3.0  # times the lowest loss, at which it ends
SAFETY = 10.0  # below the rate of the lowest loss
FALLEN = 0.9  # share of its fall, from the first to the lowest, after which the loss has all but fallen


def measure_rates(train: Examples, params: DeclaredParams, weights: Path | None = None) -> pd.DataFrame:
    """Return rate and smoothed loss (one row per step) of a training whose rate rises from 1e-6 to 10 by equal factors.

    It ends when the loss is three times its lowest, or not finite. Raises UserError when it is not at the first step.
    Start TensorFlow first (`start_tensorflow`).
    """
    import keras

    from darkroom.examples.batches import Batches

    keras.utils.set_random_seed(params.train.seed)
    rates = np.geomspace(LOWEST, HIGHEST, STEPS).astype(np.float32)
    trainer = build_trainer(params, train, weights)
    set_trainable(trainer, phases(params)[0])
    trainer.compile(build_optimizer(params.train, rates), build_loss(params.train))
    variation = Variation(params.augment, params.train.seed)
    batches = Batches(train.for_training(), params.train.batch_size, params.train.seed, variation)
    losses = _smoothed(float(trainer.train_on_batch(*batch)) for batch in _endless(batches))
    rows = list(_until_too_much(zip(rates.tolist(), losses, strict=False)))
    if not rows:
        raise UserError("the loss is not finite at the lowest rate: check train.l2, train.precision and the weights")
    return pd.DataFrame(rows, columns=["learning_rate", "loss"])


def _until_too_much(steps: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    lowest = math.inf
    for rate, loss in steps:
        if not math.isfinite(loss):
            return
        yield rate, loss
        lowest = min(lowest, loss)
        if loss >= TOO_MUCH * lowest:
            return


def _endless(batches: "Batches") -> Iterator[tuple[np.ndarray, ...]]:
    while True:
        yield from batches
        batches.epoch += 1


def _smoothed(losses: Iterator[float]) -> Iterator[float]:
    average, share = 0.0, 0.0
    for loss in losses:
        average, share = SMOOTHED * average + (1 - SMOOTHED) * loss, SMOOTHED * share + (1 - SMOOTHED)
        yield average / share


def suggest_rate(table: pd.DataFrame) -> float:
    """Return a tenth of the rate at the lowest loss; at most the rate at which the loss has all but fallen.

    A few pictures are learnt by heart long before a rate is too high, and the loss then stays low.
    """
    rates, losses = table["learning_rate"].to_numpy(), table["loss"].to_numpy()
    fallen = losses <= losses.min() + (1 - FALLEN) * (losses[0] - losses.min())
    return float(min(rates[losses.argmin()] / SAFETY, rates[fallen.argmax()]))
