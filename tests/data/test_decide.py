"""The decision: temperature, sets that keep their promise, pictures unlike the training pictures."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.decision.familiarity import Familiarity, unit_rows
from darkroom.decision.rule import Rule
from darkroom.decision.saving import load_decision, write_decision
from darkroom.evaluate.decide import (
    conformal_threshold,
    fit_familiarity,
    fit_rule,
    fit_temperature,
    pictures_needed,
)


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def simulated(count: int, seed: int, sharper: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels drawn from a calibrated model, and its probabilities with logits `sharper` times as large."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, 5))
    labels = (softmax(logits).cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(max=4)
    return labels, softmax(logits * sharper)


@pytest.mark.parametrize("sharper", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_much_too_sure_a_network_is(sharper: float) -> None:
    labels, probabilities = simulated(20_000, 1, sharper)
    assert fit_temperature(labels, probabilities) == pytest.approx(sharper, rel=0.05)


def test_a_validation_without_errors_gives_a_finite_temperature() -> None:
    labels = np.arange(40) % 5
    probabilities = softmax(8 * np.eye(5)[labels])
    assert 0.2 < fit_temperature(labels, probabilities) < 1


@given(st.integers(0, 2**31), st.floats(0.1, 10))
def test_calibration_keeps_the_order_and_the_sum(seed: int, temperature: float) -> None:
    probabilities = softmax(np.random.default_rng(seed).normal(0, 30, (4, 6)))
    calibrated = Rule(temperature, 0.9, 0.5).calibrate(probabilities)
    assert np.array_equal(calibrated.argmax(axis=1), probabilities.argmax(axis=1))
    assert calibrated.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_the_temperature_1_changes_nothing() -> None:
    probabilities = softmax(np.random.default_rng(0).normal(0, 3, (50, 4)))
    assert Rule(1.0, 0.9, 0.5).calibrate(probabilities) == pytest.approx(probabilities, abs=1e-6)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_sets_hold_the_right_class_as_often_as_promised(level: float) -> None:
    held = []
    for seed in range(60):
        labels, probabilities = simulated(400, seed, 2.0)
        rule = fit_rule(labels[:200], probabilities[:200], level)
        sets = rule.sets(rule.calibrate(probabilities[200:]))
        held.append(sets[np.arange(200), labels[200:]].mean())
    assert np.mean(held) == pytest.approx(level, abs=0.02)


def test_too_few_pictures_promise_nothing_but_all_classes() -> None:
    assert pictures_needed(0.95) == 19 and pictures_needed(0.5) == 1
    own = np.linspace(0.5, 0.9, 19)
    assert conformal_threshold(own, 0.95) == 0.5
    assert conformal_threshold(own[:18], 0.95) == 0.0


def test_pictures_in_another_direction_are_unfamiliar() -> None:
    random = np.random.default_rng(0)

    def around(axis: int, count: int) -> np.ndarray:
        return np.asarray(np.eye(8)[axis] * 5 + random.normal(0, 1, (count, 8)), np.float32)

    train = np.concatenate([around(0, 200), around(1, 200)])
    known = fit_familiarity(train, np.concatenate([around(0, 100), around(1, 100)]))
    assert (known.score(around(0, 300)) > 1).mean() < 0.06
    assert (known.score(around(5, 300)) > 1).mean() > 0.95


def test_the_distance_is_that_of_the_kth_nearest_row_however_many_are_asked() -> None:
    random = np.random.default_rng(0)
    reference, asked = unit_rows(random.normal(size=(50, 4))), random.normal(size=(2500, 4)).astype(np.float32)
    found = Familiarity(reference, 3, 1.0).distances(asked)
    expected = np.sort(np.linalg.norm(unit_rows(asked)[:, None] - reference, axis=2), axis=1)[:, 2]
    assert found == pytest.approx(expected, abs=1e-3)
    assert len(Familiarity(reference, 3, 1.0).distances(asked[:0])) == 0


def test_a_decision_is_read_as_it_was_written(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 16)).astype(np.float32)
    rule, known = Rule(1.2345678901, 0.9, 0.3), fit_familiarity(features[:200], features[200:])
    for name in ("one", "two"):
        write_decision(tmp_path / name, rule, known)
    found_rule, found = load_decision(tmp_path / "one")
    assert found_rule == rule
    assert np.array_equal(found.score(features), known.score(features))
    assert (tmp_path / "one/reference.npy").read_bytes() == (tmp_path / "two/reference.npy").read_bytes()
