"""What Keras calls while it trains; imported where a phase is trained."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from darkroom.examples.batches import Batches
from darkroom.models.fused import normalisations
from darkroom.train.epochs import Training, readable
from darkroom.train.phases import Phase

ESTIMATED = 2_000  # training pictures that means and variances are estimated on; 200 do nearly as well

Measurement = Callable[[np.ndarray], list[tf.Tensor]]  # of pictures (n, side, side, 3)


def phase_callbacks(
    training: Training, phase: Phase, rates: np.ndarray, batches: Batches
) -> list[keras.callbacks.Callback]:
    """Return the callbacks of epochs that go through `batches` and whose steps have `rates`.

    Validation sees the averaged weights when there are some (`train.ema`).
    """
    epoch_end = EpochEnd(training, phase, rates, batches)
    if not training.params.train.ema:
        return [epoch_end]
    # in this order: the estimate needs the averages, EpochEnd takes both before they are swapped out; swapping rounds,
    # so it is done as often whatever validation says
    return [epoch_end, keras.callbacks.SwapEMAWeights(), EstimateStatistics(training, batches)]


class EpochEnd(keras.callbacks.Callback):
    """Takes the time of an epoch without its validation, and the weights that validation saw, then records it."""

    def __init__(self, training: Training, phase: Phase, rates: np.ndarray, batches: Batches) -> None:
        super().__init__()
        self.training, self.phase, self.rates, self.batches = training, phase, rates, batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Shuffle anew, start the clock; Keras asks for the first batch afterwards."""
        self.batches.epoch = len(self.training.progress.rows) + 1
        self.started = time.monotonic()

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Stop the clock."""
        self.seconds = time.monotonic() - self.started

    def on_test_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Take the weights of the whole network, of which a part may be trained."""
        self.weights: list[np.ndarray] = self.training.network.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Record the epoch; stop when the phase is over."""
        rate = float(self.rates[(epoch + 1) * self.params["steps"] - 1])
        row = {**readable(logs), "learning_rate": rate, "phase": self.phase.number}
        speed = len(self.batches.examples) / max(self.seconds, 1e-9)
        self.training.record(row, speed, self.weights, self.model.optimizer)
        patience = self.training.params.train.patience
        self.model.stop_training = self.training.progress.is_over(self.phase, patience)


class EstimateStatistics(keras.callbacks.Callback):
    """Gives normalisations the mean and variance that the averaged weights make of training pictures.

    Keras averages what an optimizer moves. The moving statistics are those of the weights before they were averaged,
    and their own average begins with values that belong to no weights. P. Izmailov et al., Averaging weights leads to
    wider optima and better generalization, UAI 2018, estimate them anew as well.
    """

    def __init__(self, training: Training, batches: Batches) -> None:
        super().__init__()
        self.batches = batches
        self.count = -(-ESTIMATED // training.params.train.batch_size)

    def set_model(self, model: keras.Model) -> None:
        """Find the normalisations that are trained: a frozen one keeps its statistics."""
        super().set_model(model)
        self.layers = [layer for layer in normalisations(model) if layer.trainable]
        self.measure = _measurement(model, self.layers)

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Estimate from the first pictures of the epoch, varied as they were; what training goes on with is the same.

        Moving statistics are read by validation only, and written again before the next one.
        """
        if not self.layers:
            return
        measured = [self.measure(batch[0]) for batch in islice(self.batches, self.count)]
        for variables, values in zip(_statistics(self.layers), zip(*measured, strict=True), strict=True):
            variables.assign(np.mean([np.asarray(value) for value in values], axis=0))


def _statistics(layers: list[keras.layers.BatchNormalization]) -> list[keras.Variable]:
    return [variable for layer in layers for variable in (layer.moving_mean, layer.moving_variance)]


def _measurement(network: keras.Model, layers: list[keras.layers.BatchNormalization]) -> Measurement:
    """Return what measures mean and variance of the inputs of each layer over a batch."""

    def measure(pixels: tf.Tensor) -> list[tf.Tensor]:
        for variable in _statistics(layers):
            variable.assign(keras.ops.zeros_like(variable))
        network(pixels, training=True)  # moves each from 0 to (1 - momentum) times what the batch has
        return [
            value / (1 - layer.momentum) for layer in layers for value in (layer.moving_mean, layer.moving_variance)
        ]

    return cast(Measurement, tf.function(measure, autograph=False, reduce_retracing=True))
