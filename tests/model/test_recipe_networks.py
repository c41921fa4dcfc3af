"""The networks of the recipes, by the numbers of their layers counted by hand."""

import pytest

from darkroom.models.architecture import build_network
from darkroom.params.load import load_params, read_yaml, with_overlay
from darkroom.params.model import Model
from pictures import ROOT


def recipe(name: str) -> tuple[Model, int]:
    """Return the network's section and the side of the pictures of a recipe."""
    params = load_params(ROOT / "params.yaml")
    for part in ("digits", name):
        sections = read_yaml(ROOT / "recipes" / f"{part}.yaml")
        params = with_overlay(params, {section: sections.get(section, {}) for section in ("model", "image")}, part)
    return params.model, params.image.size


COUNTS = {
    # conv 32, 64, 128 with normalisation, dense 256 and 128 with normalisation, 10 classes
    "cifar10-cnn": [896, 128, 18496, 256, 73856, 512, 2048 * 256 + 256, 1024, 256 * 128 + 128, 512, 1290],
    # conv 32, 64, 128 with normalisation, mean of each map, dense 256
    "production-cnn": [896, 128, 18496, 256, 73856, 512, 128 * 256 + 256, 2570],
    # conv 32, pool, normalisation, conv 64, pool, normalisation, dense 128
    "cifar10-vgg-a": [896, 128, 18496, 256, 4096 * 128 + 128, 1290],
    # one more of 128, pool
    "cifar10-vgg-b": [896, 128, 18496, 256, 73856, 512, 2048 * 128 + 128, 1290],
    "animals-base": [896, 18496, 4333696, 1290],
    "animals-deeper": [896, 18496, 73856, 295168, 4 * 4 * 256 * 128 + 128, 1290],
    # conv 32 and 32, dense 128, one sigmoid
    "binary-tuned": [896, 9248, 16 * 16 * 32 * 128 + 128, 129],
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_network_of_a_recipe(name: str) -> None:
    model, side = recipe(name)
    network = build_network(model, side, 2 if model.output == "sigmoid" else 10)
    assert [layer.count_params() for layer in network.layers if layer.count_params()] == COUNTS[name]


def test_the_tiny_network_has_fewer_than_200_000_numbers() -> None:
    model, side = recipe("tiny")
    assert build_network(model, side, 10).count_params() < 190_000
