"""How training pictures are varied. Only the training model has these layers, the saved one does not."""

from typing import TYPE_CHECKING

from darkroom.params.schema import Augment

if TYPE_CHECKING:
    import keras


def augmentation_layers(params: Augment, seed: int) -> "list[keras.layers.Layer]":
    """Return the layers that vary pictures (n, size, size, 3) while training, each seeded on its own."""
    from keras import layers

    chosen = []
    if params.horizontal_flip:
        chosen.append(layers.RandomFlip("horizontal", seed=seed + 1))
    if params.rotation:
        chosen.append(layers.RandomRotation(params.rotation / 360, fill_mode="nearest", seed=seed + 2))
    if params.shift:
        chosen.append(layers.RandomTranslation(params.shift, params.shift, fill_mode="nearest", seed=seed + 3))
    return chosen


def with_augmentation(network: "keras.Model", params: Augment, seed: int) -> "keras.Model":
    """Return a model that trains the weights of `network` on varied pictures."""
    import keras

    return keras.Sequential([keras.Input(network.input_shape[1:]), *augmentation_layers(params, seed), network])
