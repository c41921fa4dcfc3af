import keras
import numpy as np
import pytest

from darkroom.models.architecture import build_network
from darkroom.models.augmentation import augmentation_layers, with_augmentation
from darkroom.params.schema import Augment, Model

FULL = Augment(rotation=30.0, shift=0.2, horizontal_flip=True)
NONE = Augment(rotation=0.0, shift=0.0, horizontal_flip=False)
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3)).astype("float32")


def varied(params: Augment, seed: int, training: bool = True, pixels: np.ndarray = PIXELS) -> np.ndarray:
    keras.utils.set_random_seed(7)
    result = pixels
    for layer in augmentation_layers(params, seed):
        result = layer(result, training=training)
    return np.asarray(result)


def test_the_seed_decides_how_pictures_vary():
    assert np.array_equal(varied(FULL, 3), varied(FULL, 3))
    assert not np.array_equal(varied(FULL, 3), varied(FULL, 4))


def test_pictures_vary_while_training_only():
    assert not np.array_equal(varied(FULL, 3), PIXELS)
    assert np.array_equal(varied(FULL, 3, training=False), PIXELS)


def test_each_picture_varies_on_its_own():
    same = np.repeat(PIXELS[:1], 8, axis=0)
    assert len({row.tobytes() for row in varied(FULL, 3, pixels=same)}) > 1


def test_off_leaves_pictures_alone():
    assert augmentation_layers(NONE, 3) == []


@pytest.mark.parametrize("key", ["rotation", "shift", "horizontal_flip"])
def test_each_key_has_a_layer_of_its_own(key):
    only = NONE.model_copy(update={key: getattr(FULL, key)})
    assert len(augmentation_layers(only, 3)) == 1
    assert not np.array_equal(varied(only, 3), PIXELS)


def test_a_flip_mirrors_left_and_right():
    flipped = varied(NONE.model_copy(update={"horizontal_flip": True}), 3)
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(flipped, PIXELS, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(flipped, PIXELS, strict=True)]
    assert any(mirrored) and any(kept) and all(a or b for a, b in zip(mirrored, kept, strict=True))


def test_values_stay_in_their_range_and_no_border_turns_black():
    white = varied(FULL, 3, pixels=np.full_like(PIXELS, 255))
    assert white.min() > 254.9 and white.max() < 255.1


def test_the_network_within_is_trained_and_answers_alike():
    network = build_network(Model(filters=[2], kernel=3, dense=[], dropout=0.0), 12, 3)
    trainer = with_augmentation(network, FULL, 3)
    assert trainer.layers[-1] is network
    assert np.allclose(trainer(PIXELS, training=False), network(PIXELS, training=False), atol=1e-6)
