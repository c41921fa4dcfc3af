from pathlib import Path

import keras
import numpy as np
import pytest

from darkroom.examples.saving import load_network, save_network
from darkroom.models.architecture import build_network
from darkroom.models.combine import combine
from easy import model_params

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype("float32")


def seeded(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_network(model_params(), 8, 3)


def answers(model: keras.Model, pixels: np.ndarray = PIXELS) -> np.ndarray:
    return np.asarray(model(pixels))


def test_one_network_and_one_view_is_itself() -> None:
    network = seeded(1)
    assert combine([network], "none") is network


def test_the_answer_is_the_mean_of_the_networks() -> None:
    one, other = seeded(1), seeded(2)
    expected = (answers(one) + answers(other)) / 2
    assert answers(combine([one, other], "none")) == pytest.approx(expected, abs=1e-6)


def test_a_picture_and_its_mirror_image_get_the_same_answer() -> None:
    network = seeded(1)
    model = combine([network], "flip")
    assert answers(model) == pytest.approx((answers(network) + answers(network, PIXELS[:, :, ::-1])) / 2, abs=1e-6)
    assert answers(model) == pytest.approx(answers(model, PIXELS[:, :, ::-1]), abs=1e-6)


def test_shifted_views_are_half_as_heavy() -> None:
    network = seeded(1)
    padded = np.pad(PIXELS, ((0, 0), (1, 1), (1, 1), (0, 0)), "symmetric")
    views = [(PIXELS, 1.0), (padded[:, :8, :8], 0.5), (padded[:, 2:, 2:], 0.5)]
    views += [(view[:, :, ::-1], weight) for view, weight in views]
    expected = sum(answers(network, view) * weight for view, weight in views) / 4
    assert answers(combine([network], "flip_shift")) == pytest.approx(expected, abs=1e-6)


def test_it_is_saved_and_loaded_as_one_model(tmp_path: Path) -> None:
    model = combine([seeded(1), seeded(2)], "flip_shift")
    save_network(model, tmp_path / "model.keras")
    assert np.array_equal(answers(load_network(tmp_path / "model.keras")), answers(model))
