"""The calibration error, beside what chance gives a calibrated model."""

import numpy as np
import pytest

from darkroom.scoring.reliability import calibrated_band, calibration_error, reliability_table


def simulated(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences, and numbers below which a confidence is right."""
    generator = np.random.default_rng(seed)
    return generator.beta(5, 2, size=count).astype(np.float32), generator.random(count)


def test_a_calibrated_model_is_inside_the_band_and_an_overconfident_one_above() -> None:
    confidence, chance = simulated(3000, seed=9)
    low, high = calibrated_band(confidence, np.arange(3000), draws=200)
    assert low <= calibration_error(confidence, chance < confidence) <= high < 0.04
    sure = np.sqrt(confidence)
    assert calibration_error(sure, chance < confidence) == pytest.approx(
        np.sqrt(np.mean((sure - confidence) ** 2)), abs=0.02
    )
    assert calibration_error(sure, chance < confidence) > calibrated_band(sure, np.arange(3000), draws=200)[1]


def test_the_square_of_the_calibration_error_is_not_biased() -> None:
    gaps = []
    for seed in range(150):
        confidence, chance = simulated(150, seed)
        gaps.append(calibration_error(confidence, chance < confidence * 0.8) ** 2)
    assert np.mean(gaps) == pytest.approx(np.mean((0.2 * simulated(10**5, 0)[0]) ** 2), rel=0.1)


def test_equal_confidences_share_a_bin() -> None:
    confidence = np.array([1.0] * 60 + [0.6] * 40, np.float32)
    correct = np.arange(100) % 4 > 0
    table = reliability_table(confidence, correct, np.arange(100))
    assert table["pictures"].tolist() == [40, 60] and table["accuracy"].tolist() == [0.75, 0.75]
    assert table["confidence"].tolist() == pytest.approx([0.6, 1.0])
    assert ((table["low"] < 0.75) & (table["high"] > 0.75)).all()
    assert calibration_error(confidence[:1], correct[1:2]) == 0


def test_copies_are_no_further_evidence() -> None:
    confidence, chance = (np.repeat(values, 4) for values in simulated(200, seed=3))
    copies, alone = np.repeat(np.arange(200), 4), np.arange(800)
    error = calibration_error(confidence, chance < confidence)
    assert calibrated_band(confidence, alone, draws=200)[1] < error < calibrated_band(confidence, copies, draws=200)[1]
    grouped, single = (reliability_table(confidence, chance < confidence, groups) for groups in (copies, alone))
    assert ((grouped["high"] - grouped["low"]) > 1.4 * (single["high"] - single["low"])).all()
