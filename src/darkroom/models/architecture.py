"""The network, built from what params.yaml says."""

from typing import TYPE_CHECKING

from darkroom.params.schema import Model

if TYPE_CHECKING:
    import keras

NORM_MOMENTUM = 0.9  # Keras's 0.99 needs some 500 steps to settle; a small data set has 20 an epoch


def build_network(params: Model, size: int, classes: int) -> "keras.Model":
    """Return a network from RGB pictures (n, size, size, 3) of values 0-255 to probabilities (n, classes).

    Blocks of convolution, ReLU, batch normalisation and 2x2 maximum pooling; then dense layers with ReLU,
    batch normalisation and dropout; softmax. The scaling to 0-1 is part of the network.
    """
    import keras
    from keras import layers

    inputs = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for number, filters in enumerate(params.filters, start=1):
        x = layers.Conv2D(filters, params.kernel, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"conv{number}_norm")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(params.dense, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"dense{number}_norm")(x)
        x = layers.Dropout(params.dropout, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="network")
