"""The network, built from what params.yaml says."""

from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError
from darkroom.models.backbone_table import BACKBONES
from darkroom.models.backbones import backbone_features
from darkroom.models.convolutional import conv_features
from darkroom.models.fused import normalisation
from darkroom.models.residual import residual_features

if TYPE_CHECKING:
    import keras

    from darkroom.params.model import Model


def build_network(params: "Model", size: int | None, classes: int, fused: bool = False) -> "keras.Model":
    """Return a network from RGB pictures (n, size, size, 3) of values 0-255 to probabilities (n, classes).

    The scaling of the pixels is part of the network. A `size` of None takes pictures of any. `fused` takes the quick
    normalisation for training; the weights are the same ones in the same order.
    """
    import keras

    inputs = keras.Input((size, size, 3), name="pixels")
    x = _features(params, inputs, fused)
    x = _head(params, x, fused)
    return keras.Model(inputs, _probabilities(params, x, classes), name="network")


def _features(params: "Model", inputs: Any, fused: bool) -> Any:
    if params.architecture in BACKBONES:
        return backbone_features(params, inputs)
    if params.architecture == "residual":
        return residual_features(params, inputs, fused)
    return conv_features(params, inputs, fused)


def _head(params: "Model", x: Any, fused: bool) -> Any:
    """Return the features of each picture (n, features) behind pooling and dense layers."""
    from keras import layers

    pooling = {"flatten": layers.Flatten, "average": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    x = pooling[params.head](name=params.head)(x)
    for number, units in enumerate(params.dense, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
        if params.dense_norm:
            x = normalisation(fused, name=f"dense{number}_norm")(x)
        if params.dropout:
            x = layers.Dropout(params.dropout, name=f"dropout{number}")(x)
    return x


def _probabilities(params: "Model", x: Any, classes: int) -> Any:
    """Return (n, classes), in float32 whatever the precision of the network; raises UserError."""
    from keras import layers, ops

    if params.output == "softmax":
        return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    if classes != 2:
        raise UserError(f"model.output = sigmoid: is for two classes, these are {classes}; set it to softmax")
    second = layers.Dense(1, dtype="float32", name="second_class")(x)
    # the sigmoid, as a softmax over (0, second): Keras then takes the loss from the logits, and no gradient is cut off
    return ops.softmax(ops.concatenate([ops.zeros_like(second), second], axis=1))
