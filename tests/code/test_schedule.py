import numpy as np
import pytest

from darkroom.params.load import with_overlay
from darkroom.params.training import Train
from darkroom.train.schedule import learning_rates
from defaults import default_params


def train(**values: object) -> Train:
    return with_overlay(default_params(), {"train": values}, "test").train


def rates(epochs: int, steps: int = 1, **values: object) -> np.ndarray:
    return learning_rates(train(**values), 0.8, steps, epochs)


def test_constant_stays() -> None:
    assert set(rates(10, schedule="constant", step_epochs=[1, 2])) == {0.8}


def test_step_multiplies_after_each_of_its_epochs() -> None:
    found = rates(8, 2, schedule="step", step_epochs=[2, 3, 6], step_factor=0.5)
    assert found.tolist() == pytest.approx(np.repeat([0.8, 0.8, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1], 2).tolist())


def test_step_without_epochs_stays() -> None:
    assert rates(99, schedule="step", step_epochs=[])[-1] == pytest.approx(0.8)


def test_cosine_falls_along_half_a_wave() -> None:
    found = rates(100, schedule="cosine")
    assert found[0] == pytest.approx(0.8) and found[50] == pytest.approx(0.4) and found[-1] < 0.001
    assert (np.diff(found) < 0).all()


def test_a_warm_up_rises_in_a_line_and_the_wave_begins_behind_it() -> None:
    found = rates(10, 10, schedule="cosine", warmup=0.2)
    assert found[:20] == pytest.approx(0.8 * np.arange(1, 21) / 20)
    assert found[20] == pytest.approx(0.8) and found[60] == pytest.approx(0.4)


def test_one_cycle_rises_and_falls_in_lines() -> None:
    found = rates(100, schedule="one_cycle", warmup=0.25)
    assert found[0] == pytest.approx(0.16) and found[25] == pytest.approx(0.8) == found.max()
    assert np.diff(found[:26], 2) == pytest.approx(0, abs=1e-6) and np.diff(found[25:], 2) == pytest.approx(0, abs=1e-6)
    assert 0.05 < found[-1] < 0.07
