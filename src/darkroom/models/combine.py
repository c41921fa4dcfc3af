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
    views = views_of(inputs, average)
    members = [_renamed(network, f"network{number}") for number, network in enumerate(networks, start=1)]
    answers = [(member(view), weight) for member in members for view, weight in views]
    return keras.Model(inputs, weighted_mean(answers), name="network")


def weighted_mean(answers: list[tuple[Any, float]]) -> Any:
    """Return the mean of answers (n, classes), each with its weight."""
    from keras import ops

    total = sum(weight for _, weight in answers)
    return ops.sum(ops.stack([answer * (weight / total) for answer, weight in answers]), axis=0)


def views_of(inputs: Any, average: str) -> list[tuple[Any, float]]:
    """Return the views (n, side, side, 3) of pictures that `model.average` names, the picture itself first.

    Each has its weight.
    """
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
