"""Training one network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from darkroom.data.pixels import Examples
from darkroom.models.architecture import build_network
from darkroom.models.augmentation import with_augmentation
from darkroom.params.declared import DeclaredParams
from darkroom.params.schema import Train
from darkroom.training.schedule import learning_rate

if TYPE_CHECKING:
    import keras

LogMetrics = Callable[[dict[str, float], int], None]


@dataclass(frozen=True)
class Fit:
    """A trained network with its best weights, the history (a row an epoch) and the best epoch, from 1."""

    network: "keras.Model"
    history: pd.DataFrame
    best_epoch: int


def fit(data: dict[str, Examples], params: DeclaredParams, log: LogMetrics | None = None, verbose: int = 0) -> Fit:
    """Train a network on data["train"]; its best epoch is the one with the lowest loss on data["validation"].

    Weights of the training pictures weigh their loss, copies repeat them; the accuracy counts each copy alike.
    `log` is called with the numbers of each epoch as it ends. Start TensorFlow first (`start_tensorflow`).
    """
    import keras

    from darkroom.data.batches import Batches

    train = params.train
    keras.utils.set_random_seed(train.seed)
    network = build_network(params.model, params.image.size, len(data["train"].classes))
    trainer = with_augmentation(network, params.augment, train.seed)
    trainer.compile(_optimizer(train), "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = _best_weights()
    history = trainer.fit(
        Batches(data["train"].for_training(), train.batch_size, train.seed),
        validation_data=Batches(data["validation"], train.batch_size),
        epochs=train.epochs,
        shuffle=False,  # Batches has its own seeded order
        callbacks=[best, *_callbacks(train, log)],
        verbose=verbose,
    )
    network.set_weights(best.weights)
    return Fit(network, _history_table(history.history), best.epoch)


def _optimizer(params: Train) -> "keras.optimizers.Optimizer":
    import keras

    if params.optimizer == "sgd":
        return keras.optimizers.SGD(params.learning_rate, momentum=0.9, nesterov=True)
    return keras.optimizers.Adam(params.learning_rate)


def _callbacks(params: Train, log: LogMetrics | None) -> list[Any]:
    import keras

    chosen = [keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate(params, epoch))]
    if params.patience:
        chosen.append(keras.callbacks.EarlyStopping("val_loss", patience=params.patience))
    if log:
        chosen.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: log(readable(logs), epoch + 1)))
    return chosen


def _best_weights() -> Any:
    """Return a callback that keeps the weights of the epoch with the lowest validation loss."""
    import keras

    class BestWeights(keras.callbacks.Callback):
        """`weights` and `epoch` (from 1) of the best epoch so far."""

        loss, weights, epoch = float("inf"), None, 0

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            """Keep the weights when they are the best."""
            if self.weights is None or logs["val_loss"] < self.loss:
                self.loss, self.epoch = logs["val_loss"], epoch + 1
                self.weights = self.model.layers[-1].get_weights()

    return BestWeights()


def readable(logs: dict[str, float]) -> dict[str, float]:
    """Return Keras's names as ours: val_loss -> validation_loss."""
    return {name.replace("val_", "validation_"): float(value) for name, value in logs.items()}


def _history_table(history: dict[str, list[float]]) -> pd.DataFrame:
    table = pd.DataFrame(history).rename(columns=lambda name: name.replace("val_", "validation_"))
    table.insert(0, "epoch", range(1, len(table) + 1))
    return table[["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]]
