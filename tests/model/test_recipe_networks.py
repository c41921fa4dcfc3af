"""The networks of the recipes, layer by layer, with the numbers of their weights counted by hand."""

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.models.architecture import build_network
from darkroom.params.load import with_overlay
from darkroom.params.recipes import read_recipe, recipe_files
from darkroom.params.schema import Params
from darkroom.train.optimizer import build_loss, build_optimizer
from defaults import default_params
from pictures import ROOT

POOL, FLATTEN, MEAN = ("MaxPooling2D", 0), ("Flatten", 0), ("GlobalAveragePooling2D", 0)


@cache
def recipe(name: str) -> Params:
    """Return the parameters of a recipe; its data are those of the default."""
    params = default_params() if name == "digits" else recipe("digits")
    sections = read_recipe(ROOT, name)
    used = ("model", "image", "train", "finetune")
    return with_overlay(params, {section: sections.get(section, {}) for section in used}, name)


def conv(weights: int) -> tuple[str, int]:
    return "Conv2D", weights


def norm(maps: int) -> tuple[str, int]:
    return "BatchNormalization", 4 * maps


def dense(inputs: int, units: int) -> tuple[str, int]:
    return "Dense", (inputs + 1) * units


def drop(share: float, kind: str = "Dropout") -> tuple[str, float]:
    return kind, share


LAYERS = {
    "binary-tuned": [
        *[conv(896), POOL, drop(0.2, "SpatialDropout2D"), conv(9248), POOL, drop(0.2, "SpatialDropout2D")],
        *[FLATTEN, dense(16 * 16 * 32, 128), drop(0.3), dense(128, 1)],
    ],
    "production-cnn": [
        *[conv(896), norm(32), POOL, conv(18496), norm(64), POOL, conv(73856), norm(128), POOL],
        *[MEAN, dense(128, 256), drop(0.5), dense(256, 10)],
    ],
    "cifar10-cnn": [
        *[conv(896), norm(32), POOL, conv(18496), norm(64), POOL, conv(73856), norm(128), POOL],
        *[FLATTEN, dense(2048, 256), norm(256), drop(0.2), dense(256, 128), norm(128), drop(0.2), dense(128, 10)],
    ],
    "cifar10-vgg-a": [
        *[conv(896), POOL, norm(32), conv(18496), POOL, norm(64)],
        *[FLATTEN, dense(4096, 128), dense(128, 10)],
    ],
    "cifar10-vgg-b": [
        *[conv(896), POOL, norm(32), drop(0.2), conv(18496), POOL, norm(64), drop(0.2)],
        *[conv(73856), POOL, norm(128), drop(0.2), FLATTEN, dense(2048, 128), drop(0.5), dense(128, 10)],
    ],
    "animals-base": [conv(896), POOL, conv(18496), POOL, FLATTEN, ("Dense", 4333696), ("Dense", 1290)],
    "animals-deeper": [
        *[conv(896), POOL, conv(18496), POOL, conv(73856), POOL, conv(295168), POOL],
        *[FLATTEN, dense(4 * 4 * 256, 128), dense(128, 10)],
    ],
}
for name in ("animals-filtered", "animals-augmented"):
    LAYERS[name] = LAYERS["animals-base"]


def described(network: keras.Model) -> list[tuple[str, float]]:
    """Return class and number of weights of each layer, or the share that it drops; scaling is left out."""
    kinds = [layer for layer in network.layers if type(layer).__name__ not in ("InputLayer", "Rescaling", "Functional")]
    return [(type(layer).__name__, getattr(layer, "rate", layer.count_params())) for layer in kinds]


@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_of_a_recipe(name: str) -> None:
    params = recipe(name)
    network = build_network(params.model, params.image.size, 2 if params.model.output == "sigmoid" else 10)
    assert described(network) == LAYERS[name]


BACKBONES = {
    "animals-mobilenetv2": [MEAN, dense(1280, 128), dense(128, 10)],
    "animals-efficientnetv2b3": [MEAN, dense(1536, 128), dense(128, 10)],
    "animals-densenet121": [MEAN, dense(1024, 128), dense(128, 10)],
    "cifar10-vgg-c": [FLATTEN, dense(512, 128), drop(0.5), dense(128, 10)],
    "cifar10-vgg-d": [FLATTEN, dense(512, 128), drop(0.5), dense(128, 10)],
}


@pytest.mark.parametrize("name", BACKBONES)
def test_the_head_that_a_recipe_puts_on_its_backbone(name: str) -> None:
    params = recipe(name)
    assert params.model.weights == "imagenet"
    model = params.model.model_copy(update={"weights": "none"})
    assert described(build_network(model, params.image.size, 10)) == BACKBONES[name]


def test_the_last_four_layers_of_vgg16_are_trained_again() -> None:
    assert recipe("cifar10-vgg-c").finetune.epochs == 0
    assert (recipe("cifar10-vgg-d").finetune.epochs, recipe("cifar10-vgg-d").finetune.layers) == (20, 4)


def test_the_tiny_network_takes_less_than_200_kb_at_8_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from tiny import quantise

    params = recipe("tiny")
    network = build_network(params.model, params.image.size, 10)
    pictures = np.random.default_rng(0).integers(0, 256, (10, params.image.size, params.image.size, 3), np.uint8)
    assert 150_000 < len(quantise(network, pictures)) < 200_000


def recipes() -> list[Any]:
    """Return the name of each recipe; a backbone takes some seconds a step."""
    names = recipe_files(ROOT)
    return [pytest.param(name, marks=pytest.mark.slow if recipe(name).model.is_backbone else ()) for name in names]


@pytest.mark.parametrize("name", recipes())
def test_a_step_trains_each_recipe_on_small_pictures(name: str) -> None:
    """Two pictures, not compiled: what a step computes, without the seconds of tracing it."""
    params = recipe(name)
    side, classes = min(params.image.size, 75), 2  # the least of some backbones
    model = params.model.model_copy(update={"weights": "none"})
    keras.utils.set_random_seed(0)
    network = build_network(model, side, classes, fused=True)
    network.compile(build_optimizer(params.train, np.full(10, 0.01)), build_loss(params.train), run_eagerly=True)
    before = network.get_weights()
    pixels = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    assert np.isfinite(network.train_on_batch(pixels, np.eye(2, dtype=np.float32)))
    assert any(not np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))
