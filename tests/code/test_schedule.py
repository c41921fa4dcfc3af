import pytest

from darkroom.params.load import load_params, with_overlay
from darkroom.params.schema import Train
from darkroom.training.schedule import learning_rate
from pictures import ROOT


def train(**values: object) -> Train:
    return with_overlay(load_params(ROOT / "params.yaml"), {"train": values}, "test").train


def test_constant_stays():
    params = train(schedule="constant", learning_rate=0.5, step_epochs=[1, 2])
    assert {learning_rate(params, epoch) for epoch in range(10)} == {0.5}


def test_step_multiplies_after_each_of_its_epochs():
    params = train(schedule="step", learning_rate=0.8, step_epochs=[2, 3, 6], step_factor=0.5)
    rates = [learning_rate(params, epoch) for epoch in range(8)]
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1])


def test_step_without_epochs_stays():
    assert learning_rate(train(schedule="step", learning_rate=0.8, step_epochs=[]), 99) == 0.8
