"""The network that is exported: from pixels as they are decoded to the probabilities that the served model answers."""

from typing import TYPE_CHECKING

from darkroom.decision.rule import SMALLEST

if TYPE_CHECKING:
    import keras

PIXELS, PROBABILITIES = "pixels", "probabilities"  # names of input and output


def served_network(network: "keras.Model", temperature: float) -> "keras.Model":
    """Return a network from pixels (n, size, size, 3) uint8 to calibrated probabilities (n, classes) float32.

    Calibration is that of decision.rule.Rule, as a part of the graph, so that an export answers what is served.
    """
    import keras

    inputs = keras.Input(network.input_shape[1:], dtype="uint8", name=PIXELS)
    answers = network(keras.ops.cast(inputs, "float32"))
    if temperature != 1:
        logits = keras.ops.log(keras.ops.maximum(answers, SMALLEST)) * (1 / temperature)
        answers = keras.ops.softmax(logits)
    named = keras.layers.Identity(name=PROBABILITIES)(answers)
    return keras.Model(inputs, named, name="exported")
