import keras
import numpy as np
import pytest

from darkroom.train.optimizer import build_optimizer
from easy import small_params

RATE = 0.1


def moved(gradient: float, steps: int = 1, name: str = "kernel", **train: object) -> float:
    """Return where a variable is that began at 1, after steps with the same gradient."""
    variable = keras.Variable(np.ones((1, 1), np.float32), name=name)
    optimizer = build_optimizer(
        small_params(train={"optimizer": "sgd", **train}).train, np.full(steps, RATE, np.float32)
    )
    for _ in range(steps):
        optimizer.apply([keras.ops.full((1, 1), gradient)], [variable])
    return float(np.asarray(variable)[0, 0])


def test_a_step_is_the_rate_times_the_gradient() -> None:
    assert moved(2.0, momentum=0.0) == pytest.approx(1 - RATE * 2)


def test_a_long_gradient_is_clipped() -> None:
    assert moved(20.0, momentum=0.0, clip_norm=0.5) == pytest.approx(1 - RATE * 0.5)
    assert moved(0.2, momentum=0.0, clip_norm=0.5) == pytest.approx(1 - RATE * 0.2)


def test_momentum_is_nesterovs() -> None:
    velocity, place = 0.0, 1.0  # Y. Nesterov's, as I. Sutskever et al. write it, ICML 2013
    for _ in range(3):
        velocity = 0.9 * velocity - RATE * 2
        place += 0.9 * velocity - RATE * 2
    assert moved(2.0, steps=3, momentum=0.9) == pytest.approx(place)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop", "lion"])
def test_decay_shrinks_kernels_alone(optimizer: str) -> None:
    assert moved(0.0, optimizer=optimizer, momentum=0.0, weight_decay=0.3) == pytest.approx(1 - RATE * 0.3)
    for name in ("bias", "gamma", "beta"):
        assert moved(0.0, name=name, optimizer=optimizer, momentum=0.0, weight_decay=0.3) == 1
    assert moved(0.0, optimizer=optimizer, momentum=0.0, weight_decay=0.0) == 1
