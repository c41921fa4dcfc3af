"""One model from several networks, and from several views of a picture: their probabilities are averaged."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

MOVE = 1  # pixels, of the shifted views


def combine(networks: "list[keras.Model]", average: str) -> "keras.Model":
    """Return a model of the networks' mean answer, (n, classes); each sees the views that `model.average` names.

    "flip": the picture and its mirror image. "flip_shift": both also shifted by a pixel up and left, and down and
    right, these half as heavy (K. Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024, arXiv:2404.00498).
    One network and one view is returned as it is.
    """
    import keras

    if len(networks) == 1 and average == "none":
        return networks[0]
    inputs = keras.Input(networks[0].input_shape[1:], name="pixels")
    views = _views(inputs, average)
    members = [_renamed(network, f"network{number}") for number, network in enumerate(networks, start=1)]
    total = sum(weight for _, weight in views) * len(members)
    answers = [member(view) * (weight / total) for member in members for view, weight in views]
    return keras.Model(inputs, keras.ops.sum(keras.ops.stack(answers), axis=0), name="network")


def _views(inputs: Any, average: str) -> list[tuple[Any, float]]:
    from keras import ops

    views = [(inputs, 1.0)]
    if average == "flip_shift":
        padded = ops.pad(inputs, [[0, 0], [MOVE, MOVE], [MOVE, MOVE], [0, 0]], "symmetric")
        side = inputs.shape[1]
        views += [(padded[:, :side, :side], 0.5), (padded[:, -side:, -side:], 0.5)]
    if average != "none":
        views += [(ops.flip(view, axis=2), weight) for view, weight in views]
    return views


def _renamed(network: "keras.Model", name: str) -> "keras.Model":
    """Return the same network, same weights, under another name; those of one model must differ."""
    import keras

    return keras.Model(network.input, network.output, name=name)
