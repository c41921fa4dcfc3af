"""Heat maps of small networks, one of which can only have looked at a striped square in a corner."""

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.explain.faithfulness import faithfulness
from darkroom.explain.feature_maps import feature_map_sheet
from darkroom.explain.heat_maps import heat_mapper
from darkroom.explain.occlusion import occlusion_maps
from darkroom.images.overlay import overlay
from darkroom.models.architecture import build_network
from darkroom.models.combine import combine
from darkroom.models.maps import map_model
from easy import model_params

SIDE, SQUARE = 16, 6
Squares = tuple[np.ndarray, np.ndarray, np.ndarray]
NETWORKS: dict[str, tuple[dict[str, Any], int]] = {
    "conv": ({"filters": [4, 4]}, 16),
    "residual": ({"architecture": "residual", "filters": [4, 4, 4], "depth": 3, "head": "average"}, 32),
    "sigmoid": ({"filters": [4], "output": "sigmoid"}, 16),
    "frozen backbone": ({"architecture": "MobileNet", "width": 0.25, "head": "average", "dense": []}, 32),
}


def squares(count: int, seed: int) -> Squares:
    """Return noise with a square of red and blue stripes in some corner, its class, and where the square is.

    The stripes go across (0) or down (1): a blurred picture does not tell.
    """
    random = np.random.default_rng(seed)
    pixels, classes = random.integers(0, 160, (count, SIDE, SIDE, 3), np.uint8), np.arange(count) % 2
    where = np.zeros((count, SIDE, SIDE), bool)
    for number, (top, left) in enumerate(random.integers(0, 2, (count, 2)) * (SIDE - SQUARE - 2) + 1):
        where[number, top : top + SQUARE, left : left + SQUARE] = True
    stripes = np.indices((SQUARE, SQUARE))[classes] % 2
    pixels[where] = np.array([(255, 0, 0), (0, 0, 255)], np.uint8)[stripes.ravel()]
    return pixels, classes, where


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = build_network(model_params(filters=[8, 8], dense=[], head="average", dropout=0.0), SIDE, 2)
    network.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pixels, classes, _ = squares(512, 1)
    network.fit(pixels, classes, batch_size=32, epochs=6, verbose=0)
    return network


@pytest.fixture(scope="module")
def asked() -> Squares:
    return squares(40, 2)


def mass_at(heat: np.ndarray, where: np.ndarray) -> float:
    """Return the mean share of a map that is where the square is, or a pixel from it."""
    wide = np.pad(where, ((0, 0), (1, 1), (1, 1)))
    near = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(1, 2)).any(axis=(3, 4))
    return float(((heat * near).sum(axis=(1, 2)) / heat.sum(axis=(1, 2))).mean())


@cache
def built(name: str) -> tuple[keras.Model, np.ndarray]:
    """Return a network of NETWORKS and three pictures."""
    params, side = NETWORKS[name]
    keras.utils.set_random_seed(0)
    network = build_network(model_params(**params), side, 2)
    if name == "frozen backbone":
        network.get_layer("backbone").trainable = False
    return network, np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_have_the_picture_s_size_and_each_class_has_one(name: str) -> None:
    network, pixels = built(name)
    small, logits = (np.asarray(output) for output in map_model(network)(pixels.astype("float32")))
    assert 7 <= small.shape[1] <= 8
    assert np.asarray(keras.ops.softmax(logits)) == pytest.approx(np.asarray(network(pixels)), abs=1e-5)
    make = heat_mapper(network)
    maps = [make(pixels, np.full(3, label), 2) for label in (0, 1)]
    for heat in maps:
        assert heat.shape == pixels.shape[:3] and heat.dtype == np.float32
        assert heat.min() >= 0 and 0.5 < heat.max() <= 1
    assert not np.array_equal(maps[0], maps[1])


def test_the_map_of_a_network_that_shrinks_a_picture_at_once_is_its_largest() -> None:
    network = build_network(model_params(filters=[4, 4], stride=[4, 1], pool=1), SIDE, 2)
    assert map_model(network).output_shape[0] == (None, 4, 4, 4)


def test_the_map_of_an_ensemble_is_the_mean_of_its_members(asked: Squares) -> None:
    networks = [build_network(model_params(), SIDE, 2) for _ in range(2)]
    pixels, classes = asked[0][:4], asked[1][:4]
    each = [heat_mapper(network)(pixels, classes, 4) for network in networks]
    assert heat_mapper(combine(networks, "flip"))(pixels, classes, 4) == pytest.approx(np.mean(each, axis=0), abs=1e-5)


def test_a_map_shows_what_the_class_was_seen_by(trained: keras.Model, asked: Squares) -> None:
    pixels, classes, where = asked
    assert (trained.predict_on_batch(pixels.astype("float32")).argmax(axis=1) == classes).mean() > 0.95
    assert mass_at(heat_mapper(trained)(pixels, classes, 40), where) > 0.6
    drops = occlusion_maps(trained, pixels, classes, 40)
    assert drops.shape == where.shape and mass_at(np.maximum(drops, 0), where) > 0.6


def test_deletion_and_insertion_beat_chance_and_the_centre(trained: keras.Model, asked: Squares) -> None:
    pixels, classes, where = asked
    found = faithfulness(trained, pixels, classes, heat_mapper(trained)(pixels, classes, 40), 40, seed=0)
    for other in ("random", "centre"):
        assert found["deletion"] < found[f"deletion_{other}"] - 0.05
        assert found["insertion"] > found[f"insertion_{other}"] + 0.05
    nothing = faithfulness(trained, pixels, classes, np.zeros(where.shape), 40, seed=0)
    assert nothing["deletion"] == pytest.approx(found["deletion_random"], abs=0.03)  # ties are no order


def test_the_map_of_a_network_drawn_by_chance_is_another(trained: keras.Model, asked: Squares) -> None:
    """J. Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018 (arXiv:1810.03292)."""
    pixels, classes, where = asked
    drawn = keras.models.clone_model(trained)
    right, wrong = (heat_mapper(network)(pixels, classes, 40) for network in (trained, drawn))
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(right, wrong, strict=True)]
    assert np.nanmean(alike) < 0.5
    assert mass_at(wrong, where) < mass_at(right, where) - 0.2


def test_an_overlay_is_large_enough_to_be_seen_and_grey_where_the_map_is_cold() -> None:
    heat = np.zeros((SIDE, SIDE))
    heat[:8, :8] = 1
    over = overlay(np.full((SIDE, SIDE, 3), (255, 0, 0), np.uint8), heat)
    assert over.shape == (96, 96, 3) and over.dtype == np.uint8
    assert len(set(over[90, 90])) == 1 and len(set(over[5, 5])) == 3


@pytest.mark.parametrize("name", ["conv", "frozen backbone"])
def test_a_sheet_has_a_row_of_tiles_for_each_layer(name: str) -> None:
    network, pixels = built(name)
    side, sheet = pixels.shape[1], feature_map_sheet(network, pixels[0])
    layers, channels = (2, 4) if name == "conv" else (4, 16)
    assert sheet.size == (channels * 52 + 4, (layers + 1) * 66 + 4)
    times = 48 // side  # the picture's pixels, as squares
    shown = np.asarray(sheet)[18 : 18 + side * times : times, 4 : 4 + side * times : times]
    assert np.array_equal(shown, pixels[0])
