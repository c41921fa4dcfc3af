import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.scoring.slice_values import slice_values
from darkroom.scoring.slices import COLUMNS, design_effect, holm, intraclass_correlation, slice_table


def facts_of(count: int, **columns: Any) -> pd.DataFrame:
    """Return the facts of pictures that are all alike, but for `columns`."""
    alike: dict[str, Any] = {
        "width": 40,
        "height": 30,
        "brightness": 0.5,
        "contrast": 0.2,
        "sharpness": 90.0,
        "format": "PNG",
    }
    alike |= {"mode": "RGB", "orientation": 1, "greyscale": False, "attributes": None}
    return pd.DataFrame({**alike, **columns}, index=range(count))


def varied(chance: np.random.Generator, count: int) -> pd.DataFrame:
    measured = {name: chance.random(count) for name in ("brightness", "contrast", "sharpness")}
    named = {"format": chance.choice(["JPEG", "PNG"], count), "width": chance.integers(20, 60, count)}
    return facts_of(count, **measured, **named)


def values_of(facts: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return {fact: {value: pictures}}."""
    found = slice_values(facts).items()
    return {
        name: {value: int((one.codes == code).sum()) for code, value in enumerate(one.names)} for name, one in found
    }


def test_measures_are_put_into_ranges_with_readable_limits() -> None:
    found = values_of(facts_of(400, brightness=np.linspace(0.113, 0.917, 400), width=np.tile([24, 30, 36, 42], 100)))
    assert found["aspect"] == {"landscape": 200, "portrait": 100, "square": 100}
    assert found["size"] == {"24": 100, "30": 300}
    assert list(found["brightness"]) == ["below 0.31", "0.31 to 0.52", "0.52 to 0.72", "0.72 or more"]
    assert set(found) == {"size", "aspect", "brightness"} and min(found["brightness"].values()) > 80


def test_limits_have_as_many_digits_as_they_need_and_a_spike_stands_apart() -> None:
    close = 0.5 + np.arange(100) / 1e4
    found = values_of(facts_of(100, brightness=close, contrast=np.r_[np.zeros(80), np.arange(1, 21) / 100]))
    assert list(found["brightness"]) == ["below 0.502", "0.502 to 0.505", "0.505 to 0.507", "0.507 or more"]
    assert found["contrast"] == {"below 0.01": 80, "0.01 or more": 20}


def test_rare_values_are_joined_and_too_few_are_left_out() -> None:
    formats = ["PNG"] * 20 + ["JPEG"] * 10 + ["GIF"] * 3 + ["BMP"] * 3
    found = values_of(facts_of(36, format=formats, orientation=[1] * 30 + [6] * 6, mode=["RGB"] * 32 + ["L"] * 4))
    assert found == {"format": {"JPEG": 10, "PNG": 20, "other": 6}, "orientation": {"turned": 6, "upright": 30}}


def test_a_few_words_among_numbers_and_many_names_make_no_hundred_slices() -> None:
    ages = [str(20 + row) if row % 20 else "unknown" for row in range(60)]
    patients = [f"p{row % 30:02}" for row in range(60)]
    texts = [json.dumps({"age": age, "patient": patient}) for age, patient in zip(ages, patients, strict=True)]
    found = slice_values(facts_of(60, attributes=texts))
    assert len(found["age"].names) <= 5 and "missing" not in found["age"].names  # three are too few for a slice
    assert "patient" not in found or len(found["patient"].names) <= 13


def test_attributes_are_slices_and_many_numbers_are_ranges() -> None:
    texts = [json.dumps({"age": str(number), "mode": "ab"[number % 2]}) for number in range(40)] + [None] * 8
    found = values_of(facts_of(48, attributes=texts))
    assert found["mode (table)"] == {"a": 20, "b": 20, "missing": 8}
    assert list(found["age"]) == ["below 9.8", "9.8 to 20", "20 to 29", "29 or more", "missing"]


def test_alike_pictures_have_no_slices() -> None:
    found = slice_table(facts_of(9), np.ones(9, bool), np.arange(9))
    assert found.empty and dict(found.dtypes.astype(str)) == COLUMNS


def test_a_worse_slice_is_named_and_no_other() -> None:
    chance = np.random.default_rng(1)
    facts = varied(chance, 800)
    blurred = (facts["sharpness"] < 0.2).to_numpy()
    table = slice_table(facts, chance.random(800) < np.where(blurred, 0.6, 0.9), np.arange(800))
    assert table.loc[table["worse"], ["slice", "value"]].to_numpy().tolist() == [["sharpness", "below 0.24"]]
    assert ((table["low"] < table["accuracy"]) & (table["accuracy"] < table["high"])).all()


@pytest.mark.parametrize("size", [1, 8])
def test_hardly_ever_is_a_slice_named_when_none_is_worse(size: int) -> None:
    """With groups of 8 both the answers and a column of the table belong to the group, as a patient's do."""
    named = 0
    for seed in range(50):
        chance = np.random.default_rng(seed)
        groups = np.repeat(np.arange(80), size) if size > 1 else np.arange(400)
        sites = chance.choice(["Ulm", "Bonn", "Kiel"], len(groups))[groups]
        facts = varied(chance, len(groups)).assign(attributes=[json.dumps({"site": site}) for site in sites])
        difficulty = chance.beta(1.6, 0.4, len(groups))[groups]
        named += bool(slice_table(facts, chance.random(len(groups)) < difficulty, groups)["worse"].any())
    assert named <= 6  # 2.5 are expected at most


def test_groups_widen_intervals() -> None:
    facts = facts_of(80, format=["PNG", "JPEG"] * 40)
    correct = np.repeat(np.arange(20) % 4 > 0, 4)
    alone = slice_table(facts, correct, np.arange(80))
    together = slice_table(facts, correct, np.repeat(np.arange(20), 4))
    assert (alone["accuracy"] == together["accuracy"]).all()
    assert ((together["high"] - together["low"]) > 1.25 * (alone["high"] - alone["low"])).all()


def test_the_statistics_agree_with_known_values() -> None:
    assert holm(np.array([0.04, 0.001, 0.03, 0.016]), 0.05).tolist() == [False, True, False, True]
    same, mixed = np.repeat([True, False], 4), np.tile([True, False], 4)
    pairs = np.repeat(np.arange(4), 2)
    assert (intraclass_correlation(same, pairs), intraclass_correlation(mixed, pairs)) == (1, 0)
    assert design_effect(pairs, 1.0) == 2 and design_effect(np.arange(8), 1.0) == 1
