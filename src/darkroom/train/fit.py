"""Training one network."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.augmentation.variation import Variation
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import distributed, in_precision
from darkroom.models.architecture import build_network
from darkroom.models.backbones import load_pretrained
from darkroom.models.fused import synchronise
from darkroom.models.residual import start_residual
from darkroom.params.declared import DeclaredParams
from darkroom.params.training import Train
from darkroom.train.checkpoint import Checkpoint, Progress
from darkroom.train.epochs import LogMetrics, OnEpoch, Training
from darkroom.train.frozen import Part, phase_part
from darkroom.train.optimizer import add_l2, build_loss, build_optimizer, compared_losses
from darkroom.train.phases import Phase, phases, set_trainable
from darkroom.train.schedule import learning_rates

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary

logger = logging.getLogger(__name__)
WHITENED = 5000  # training pictures whose patches the first layer of a residual network whitens
DIVERGED = (
    "the loss of epoch %d is not finite; epoch %d is kept. Lower train.learning_rate, or set train.clip_norm to 1"
)
COLUMNS = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]


@dataclass(frozen=True)
class Fit:
    """A trained network with its best weights, the history (one row per epoch: COLUMNS, kept), the best epoch."""

    network: "keras.Model"
    history: pd.DataFrame
    best_epoch: int


def fit(
    data: dict[str, Examples],
    params: DeclaredParams,
    weights: Path | None = None,
    checkpoint: Checkpoint | None = None,
    log: LogMetrics | None = None,
    verbose: int = 0,
    on_epoch: OnEpoch | None = None,
    vary: "Vary | None" = None,
) -> Fit:
    """Train a network on data["train"]; its best epoch is what `train.keep` says, on data["validation"].

    Pictures have weights in the loss, and copies; the accuracy counts each copy alike. `weights` is the folder with
    the file that `model.weights` may name. A training that was interrupted resumes from `checkpoint`, to the same
    weights. `log` gets the metrics of each epoch as it ends; `on_epoch` too, and stops the training by returning True.
    `vary` makes pictures and targets in place of the augmentation of params. Call `start_tensorflow` first.
    """
    _start_keras(params.train.seed)
    progress = Progress(params.train.keep)
    vary = vary or Variation(params.augment, params.train.seed)
    with distributed(params.train.devices):
        trainer = build_trainer(params, data["train"], weights)
        _run_phases(Training(trainer, params, progress, checkpoint, log, on_epoch, vary), data, verbose)
    return _best(progress, params, len(data["train"].classes), verbose)


def _start_keras(seed: int) -> None:
    import keras

    keras.utils.clear_session(free_memory=False)  # Keras numbers layers; a second network's have the same names
    keras.utils.set_random_seed(seed)


def _run_phases(training: Training, data: dict[str, Examples], verbose: int) -> None:
    """Train all phases; an unknown layer is an error before anything is trained."""
    for phase in phases(training.params):
        set_trainable(training.network, phase)
    training.resume()
    for phase in phases(training.params):
        _run_phase(training, phase, data, verbose)
    if training.checkpoint and not training.progress.stopped:  # what stopped it may not do so again
        training.checkpoint.finish(training.progress)


def _best(progress: Progress, params: DeclaredParams, classes: int, verbose: int) -> Fit:
    """Return the network of the best epoch, as it is saved: without what only trains quickly."""
    if progress.diverged and progress.best_epoch < len(progress.rows):  # else no epoch is left, which is an error later
        logger.warning(DIVERGED, len(progress.rows), progress.best_epoch)
    network = build_network(params.model, params.image.size, classes)
    network.set_weights(progress.best_weights)
    history = pd.DataFrame(progress.rows)[COLUMNS]
    if verbose:
        logger.info("epoch %d of %d is kept", progress.best_epoch, len(history))
    return Fit(network, history.assign(kept=history["epoch"] == progress.best_epoch), progress.best_epoch)


def build_trainer(params: DeclaredParams, train: Examples, weights: Path | None) -> "keras.Model":
    """Return the network with its initial weights, in the precision and with the operations that train quickly."""
    with in_precision(params.train.precision):
        side = None if params.train.small_epochs else params.image.size
        trainer = build_network(params.model, side, len(train.classes), fused=True)
    load_pretrained(trainer, params.model, weights or Path())
    if params.model.architecture == "residual":
        start_residual(trainer, train.pixels[np.sort(train.rows)[:WHITENED]])
    if params.train.devices > 1:
        synchronise(trainer)
    add_l2(trainer, params.train.l2)
    return trainer


def check_network(params: DeclaredParams, classes: int, weights: Path) -> None:
    """Raise UserError when given weights do not fit the network, or it lacks the layer that `finetune.layers` names."""
    network = build_network(params.model, params.image.size, classes)
    load_pretrained(network, params.model, weights)
    for phase in phases(params):
        set_trainable(network, phase)


def _run_phase(training: Training, phase: Phase, data: dict[str, Examples], verbose: int) -> None:
    """Train the epochs of one phase that are not done yet."""
    from darkroom.examples.batches import Batches

    progress, train = training.progress, training.params.train
    if progress.is_over(phase, train.patience):
        training.restore(phase)  # the states of random layers, which the next phase goes on with
        return
    _begin_phase(training, phase, verbose)
    part = phase_part(training.network, training.params, phase, data, training.vary)
    batches = Batches(part.train, train.batch_size, train.seed, part.vary)
    rates = learning_rates(train, phase.learning_rate, len(batches), phase.epochs)
    _compile(part.trainer, train, rates, batches.at_once, training.on_epoch is not None)
    training.restore(phase, part.trainer.optimizer)
    for last_epoch, side in ((phase.small_epochs, train.small_size), (phase.epochs, None)):
        if not progress.is_over(phase, train.patience) and progress.epochs_in(phase.number) < last_epoch:
            _run_epochs(training, phase, part, rates, last_epoch, side, verbose)


def _run_epochs(
    training: Training, phase: Phase, part: Part, rates: np.ndarray, last_epoch: int, side: int | None, verbose: int
) -> None:
    """Train up to `last_epoch` of a phase whose steps have `rates`, on pictures scaled down to `side` when given."""
    from darkroom.examples.batches import Batches
    from darkroom.train.callbacks import phase_callbacks

    train, done = training.params.train, training.progress
    batches = Batches(part.train, train.batch_size, train.seed, part.vary, side)
    part.trainer.fit(
        batches.dataset(),
        validation_data=Batches(part.validation, train.batch_size).dataset(),
        initial_epoch=done.epochs_in(phase.number),
        epochs=last_epoch,
        shuffle=False,  # Batches has its own seeded order
        callbacks=phase_callbacks(training, phase, rates, batches),
        verbose=verbose,
    )


def _begin_phase(training: Training, phase: Phase, verbose: int) -> None:
    """Give the network the best weights so far, and say what is trained."""
    network, progress = training.network, training.progress
    set_trainable(network, phase)
    if progress.best_epoch:
        network.set_weights(progress.best_weights)
    if verbose and (done := progress.epochs_in(phase.number)):
        logger.info("resumes after epoch %d", done)
    elif verbose and phase.title:
        logger.info("%s", phase.title)


def _compile(network: "keras.Model", train: Train, rates: np.ndarray, steps: int, log_loss: bool) -> None:
    """Compile the network; Keras returns from the graph every `steps` steps. `log_loss`: measure that too."""
    steps = steps if train.devices == 1 else 1  # Keras 3.15 fails with more on several devices
    optimizer, loss = build_optimizer(train, rates), build_loss(train)
    compared = compared_losses(train, log_loss)
    network.compile(optimizer, loss, metrics=["accuracy"], weighted_metrics=compared, steps_per_execution=steps)
    _create_variables(network)


def _create_variables(network: "keras.Model") -> None:
    """Create the variables of optimizer and metrics now: TensorFlow traces a function that creates some twice."""
    network.optimizer.build(network.trainable_variables)
    probabilities = np.ones((1, network.output_shape[-1]), np.float32)
    network.compute_metrics(None, probabilities, probabilities)
    network.reset_metrics()
