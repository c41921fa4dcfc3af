"""What moves the weights, and what they are moved towards."""

from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.params.training import Train

if TYPE_CHECKING:
    import keras

# names of Keras
CLASSES = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "lion": "Lion"}
UNPENALISED = "unpenalised"  # the loss as it is compared and shown


def build_optimizer(params: Train, rates: np.ndarray) -> "keras.optimizers.Optimizer":
    """Return the optimizer with the rates (steps,) of its steps.

    Weight decay is decoupled and spares biases and normalisations (I. Loshchilov, F. Hutter, Decoupled weight decay
    regularization, ICLR 2019). `ema` averages the weights over the steps.
    """
    import keras

    from darkroom.train.muon import ConvolutionMuon
    from darkroom.train.rate_table import RateTable

    build = ConvolutionMuon if params.optimizer == "muon" else getattr(keras.optimizers, CLASSES[params.optimizer])
    optimizer = build(RateTable(rates), **_options(params))
    # fit would end with the averages in the network, and one that follows would go on from there; `Progress` keeps them
    optimizer.finalize_variable_values = lambda variables: None  # noqa: ARG005
    if params.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _options(params: Train) -> dict[str, Any]:
    """Return what Keras's optimizers take beside the rate."""
    # AdamW, unlike the others, takes no None
    options: dict[str, Any] = {"weight_decay": params.weight_decay or (0.0 if params.optimizer == "adamw" else None)}
    if params.clip_norm:
        options["global_clipnorm"] = params.clip_norm
    if params.ema:
        options |= {"use_ema": True, "ema_momentum": params.ema, "ema_overwrite_frequency": None}
    if params.optimizer in ("sgd", "rmsprop", "muon"):
        options["momentum"] = params.momentum
    if params.optimizer == "sgd":
        options["nesterov"] = params.momentum > 0
    if params.optimizer == "muon":
        options["adam_weight_decay"] = params.weight_decay
    return options


def build_loss(params: Train) -> "keras.losses.Loss":
    """Return the loss between one-hot targets and probabilities, both (n, classes).

    Focal loss: T.-Y. Lin et al., Focal loss for dense object detection, ICCV 2017, without its class weights.
    """
    import keras

    if params.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=params.focal_gamma, label_smoothing=params.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=params.label_smoothing)


def compared_losses(params: Train, log_loss: bool) -> "list[keras.metrics.Metric]":
    """Return metrics: the loss without what `l2` adds to it, and on request the log loss; none that is the loss itself.

    What `l2` adds grows with the number of trained layers, so losses that hold it cannot be compared between the parts
    of a training; focal losses and those of smoothed labels cannot be compared between trainings that differ in them.
    """
    import keras

    metrics = [keras.metrics.MeanMetricWrapper(build_loss(params).call, name=UNPENALISED)] if params.l2 else []
    if log_loss and (params.loss != "cross_entropy" or params.label_smoothing):
        metrics.append(keras.metrics.CategoricalCrossentropy(name="log_loss"))
    return metrics


def add_l2(network: "keras.Model", l2: float) -> None:
    """Add `l2` times the sum of squares of each trained kernel to the loss that `network` is trained with."""
    import keras

    for variable in network.weights if l2 else []:
        if variable.name.endswith("kernel"):  # also those of separable convolutions
            variable.regularizer = keras.regularizers.L2(l2)  # Keras leaves out what is frozen
