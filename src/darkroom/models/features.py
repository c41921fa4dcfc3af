"""The parts of a trained network: the networks that it averages, and the features that its last layer sees."""

from typing import TYPE_CHECKING, Any

from darkroom.models.combine import views_of, weighted_mean

if TYPE_CHECKING:
    import keras

LAST_LAYERS = ("probabilities", "second_class")  # of a softmax, of a sigmoid
WIDE = 4096  # features; the maps of a large picture are ten times as many, and take gigabytes
AVERAGES = {1: "none", 2: "flip", 6: "flip_shift"}  # how often a network is called -> model.average


def members_of(network: "keras.Model") -> "list[keras.Model]":
    """Return the networks whose answers `combine` averages; a network that averages none is its only one."""
    import keras

    if _last_layer(network):
        return [network]
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def last_layer(member: "keras.Model") -> Any:
    """Return the dense layer that gives the logits; raises ValueError for a network that is not darkroom's."""
    found = _last_layer(member)
    if found is None:
        raise ValueError(f"the network has no layer {' or '.join(LAST_LAYERS)}")
    return found


def with_features(network: "keras.Model") -> "keras.Model":
    """Return a network of two outputs: probabilities (n, classes), and features (n, features) float32.

    Features are what the last layer of each network sees of the picture as it is, side by side; of maps of more than
    WIDE numbers their means. The views that `model.average` adds give probabilities only.
    """
    import keras

    members = members_of(network)
    average = "none" if members == [network] else AVERAGES[_calls(network, members[0])]
    inputs = keras.Input(network.input_shape[1:], name="pixels")
    views = views_of(inputs, average)
    both = [keras.Model(member.input, [member.output, _features(member)]) for member in members]
    found = [[(*member(view), weight) for view, weight in views] for member in both]
    answers = [(answer, weight) for outputs in found for answer, _, weight in outputs]
    features = [keras.ops.cast(outputs[0][1], "float32") for outputs in found]
    joined = features[0] if len(features) == 1 else keras.ops.concatenate(features, axis=1)
    return keras.Model(inputs, [answers[0][0] if len(answers) == 1 else weighted_mean(answers), joined])


def _features(member: "keras.Model") -> Any:
    """Return the tensor (n, features) that the last layer sees; the means of maps where that is a long row of them."""
    import keras

    seen = last_layer(member).input
    flat = next((layer for layer in member.layers if layer.name == "flatten"), None)
    if flat is not None and flat.output is seen and seen.shape[1] > WIDE:
        return keras.layers.GlobalAveragePooling2D()(flat.input)
    return seen


def _last_layer(network: "keras.Model") -> Any:
    return next((layer for layer in network.layers if layer.name in LAST_LAYERS), None)


def _calls(network: "keras.Model", member: "keras.Model") -> int:
    layers = network.get_config()["layers"]
    return next(len(layer["inbound_nodes"]) for layer in layers if layer["name"] == member.name)
