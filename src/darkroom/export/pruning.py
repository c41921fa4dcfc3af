"""Magnitude pruning: the smallest weights become zero and stay so, while the others are trained further.

M. Zhu, S. Gupta, To prune, or not to prune, 2017 (arXiv:1710.01878), with one threshold for all layers and a constant
sparsity. A pruned file is smaller when it is compressed; it is computed no faster.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.examples.metrics import predict
from darkroom.examples.pixels import Examples
from darkroom.params.training import Train

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary


def pruned(
    network: "keras.Model", sparsity: float, data: dict[str, Examples], train: Train, vary: "Vary", epochs: int
) -> "keras.Model":
    """Return the network, changed: a share `sparsity` of its kernels' weights is 0, the others are trained further.

    The epoch that is kept is the one with the best accuracy on data["validation"], the first of equals.
    """
    import keras

    from darkroom.examples.batches import Batches

    network.trainable = True
    _mask(network, sparsity)
    batches = Batches(data["train"].for_training(), train.batch_size, train.seed, vary)
    rate = keras.optimizers.schedules.CosineDecay(train.learning_rate, epochs * len(batches))
    network.compile(keras.optimizers.Adam(rate), "categorical_crossentropy")
    best, weights = -1.0, network.get_weights()
    for epoch in range(epochs):
        batches.epoch = epoch + 1
        network.fit(batches.dataset(), shuffle=False, verbose=0)
        found = _accuracy(network, data["validation"], train.batch_size)
        if found > best:
            best, weights = found, network.get_weights()
    network.set_weights(weights)
    for variable in kernels(network):
        variable.constraint = None
    return network


def kernels(network: "keras.Model") -> "list[keras.Variable]":
    """Return the variables that are pruned: kernels of convolutions and dense layers."""
    return [variable for variable in network.weights if variable.name.endswith("kernel")]


def _mask(network: "keras.Model", sparsity: float) -> None:
    """Set the smallest weights to 0, by one threshold for all layers, and keep them there."""
    chosen = kernels(network)
    sizes = np.concatenate([np.abs(np.asarray(variable)).ravel() for variable in chosen])
    threshold = np.quantile(sizes, sparsity)
    for variable in chosen:
        keep = (np.abs(np.asarray(variable)) > threshold).astype(np.float32)
        variable.assign(variable * keep)
        variable.constraint = _Kept(keep)


class _Kept:
    """Keeps what a mask leaves out at 0, after each step of the optimizer."""

    def __init__(self, keep: np.ndarray) -> None:
        self.keep = keep

    def __call__(self, weights: Any) -> Any:
        return weights * self.keep


def _accuracy(network: "keras.Model", examples: Examples, batch_size: int) -> float:
    return float((predict(network, examples, batch_size).argmax(axis=1) == examples.labels).mean())
