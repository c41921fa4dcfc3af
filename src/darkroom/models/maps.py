"""The maps inside a network: what a layer says of each place of a picture."""

from typing import TYPE_CHECKING, Any

from darkroom.models.features import last_layer

if TYPE_CHECKING:
    import keras

SMALLEST_MAP = 7  # pixels a side: with fewer a map points at no place
MOVING = ("InputLayer", "Rescaling", "Normalization", "ZeroPadding2D", "Cropping2D")  # pixels, or maps with a margin


def map_model(member: "keras.Model") -> "keras.Model":
    """Return a network from pixels (n, side, side, 3) to (map (n, h, w, channels), logits (n, classes) float32).

    The map is the deepest whose shorter side is at least SMALLEST_MAP; where there is none, the deepest of the largest.
    All that the class depends on goes through it: a branch that is joined by another one does not count. Logits are
    those in front of softmax or sigmoid, of which no gradient saturates. Raises ValueError for a network that is not
    darkroom's.
    """
    maps = [layer for layer in _without_branches(_body_of(member)) if is_map(layer)]
    sides = [min(layer.output.shape[1:3]) for layer in maps]
    enough = min(SMALLEST_MAP, max(sides))
    return outputs_model(member, [[m for m, side in zip(maps, sides, strict=True) if side >= enough][-1]])


def map_layers(member: "keras.Model") -> "list[keras.layers.Layer]":
    """Return the layers of (n, h, w, channels) of a network, the first ones first; those of a nested backbone."""
    return [layer for layer in _body_of(member).layers if is_map(layer)]


def is_map(layer: Any) -> bool:
    """Return whether a layer's output is (n, h, w, channels), made of features and in place."""
    return type(layer).__name__ not in MOVING and len(getattr(layer.output, "shape", ())) == 4


def outputs_model(member: "keras.Model", chosen: "list[keras.layers.Layer]") -> "keras.Model":
    """Return a network from pixels to (the output of each of `chosen`, then the logits (n, classes) float32)."""
    import keras

    body, outputs = _body_of(member), [layer.output for layer in chosen]
    if body is member:
        return keras.Model(member.input, [*outputs, _logits(member, last_layer(member).input)])
    *outputs, x = keras.Model(body.input, [*outputs, body.output])(member.get_layer("scale").output)
    behind = member.layers[member.layers.index(body) + 1 : member.layers.index(last_layer(member))]
    for layer in behind:  # pooling, dense: one after the other
        x = layer(x)
    return keras.Model(member.input, [*outputs, _logits(member, x)])


def _body_of(member: "keras.Model") -> "keras.Model":
    """Return what makes the maps: the nested backbone, or the network itself."""
    import keras

    return next((layer for layer in member.layers if isinstance(layer, keras.Model)), member)


def _without_branches(network: "keras.Model") -> list[Any]:
    """Return the operations whose output alone the later ones depend on."""
    import keras

    last_use, found, in_use = {}, [], -1
    for place, operation in enumerate(network.operations):
        last_use.update(dict.fromkeys(map(id, keras.tree.flatten(operation.input)), place))
    for place, operation in enumerate(network.operations):
        if in_use <= place:  # nothing older is looked at again
            found.append(operation)
        in_use = max(in_use, *(last_use.get(id(tensor), place) for tensor in keras.tree.flatten(operation.output)))
    return found


def _logits(member: "keras.Model", features: Any) -> Any:
    """Return (n, classes) without the activation of the last layer.

    Those of a sigmoid are (-second / 2, second / 2), the same to a softmax as (0, second): with these no place would
    matter to the first class.
    """
    import keras

    last = last_layer(member)
    linear = keras.layers.Dense.from_config({**last.get_config(), "activation": None, "name": "logits"})
    found = linear(features)
    linear.set_weights(last.get_weights())
    return found if last.name == "probabilities" else keras.ops.concatenate([found / -2, found / 2], axis=1)
