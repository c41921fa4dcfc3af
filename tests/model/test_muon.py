"""The optimizer that makes each step of a kernel a nearly orthogonal matrix."""

from typing import Any

import keras
import numpy as np
import pytest

from darkroom.train.muon import ConvolutionMuon


def step(shape: tuple[int, ...], name: str = "kernel", rate: float = 0.1) -> np.ndarray:
    """Return how a variable of zeros is moved by a drawn gradient."""
    variable = keras.Variable(np.zeros(shape, np.float32), name=name)
    gradient = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    ConvolutionMuon(rate, momentum=0.9, weight_decay=0.0, adam_weight_decay=0.0).apply([gradient], [variable])
    return np.asarray(variable)


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (3, 3, 2, 64), (32, 24)])
def test_a_kernel_moves_by_a_nearly_orthogonal_matrix(shape: Any) -> None:
    moved = step(shape).reshape(-1, shape[-1])
    lengths = np.linalg.svd(moved, compute_uv=False) / (0.1 * 0.2 * max(moved.shape) ** 0.5)
    assert lengths.min() > 0.6 and lengths.max() < 1.3  # five iterations leave them within this, K. Jordan says


@pytest.mark.parametrize("shape", [(200, 24), (24, 24), (24, 200)])
def test_a_matrix_moves_as_keras_moves_it(shape: Any) -> None:
    chance = np.random.default_rng(0)
    matrix = (chance.normal(size=shape) * np.logspace(-4, 0, shape[1])).astype(np.float32)  # hardly of full rank
    ours, theirs = (
        kind(0.1).zeropower_via_newtonschulz5(matrix, 5) for kind in (ConvolutionMuon, keras.optimizers.Muon)
    )
    assert np.asarray(ours) == pytest.approx(np.asarray(theirs), abs=1e-4)


@pytest.mark.parametrize(("shape", "name"), [((16,), "bias"), ((3, 3, 8, 1), "kernel"), ((8, 4), "probabilities")])
def test_what_is_no_hidden_layer_moves_as_adam_moves_it(shape: Any, name: str) -> None:
    assert np.abs(step(shape, name)) == pytest.approx(np.full(shape, 0.1), rel=1e-3)
