import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.evaluate.plots import draw_rates
from darkroom.train.rate_range import measure_rates, suggest_rate
from easy import data, small_params


def test_the_rate_rises_until_the_loss_does(tmp_path: Path) -> None:
    table = measure_rates(data()["train"], small_params(train={"optimizer": "sgd"}))
    assert table["learning_rate"].is_monotonic_increasing and 20 < len(table) <= 150
    assert table["loss"].min() < 0.5 * table["loss"].iloc[0]
    assert 1e-4 < suggest_rate(table) <= 1
    draw_rates(table, suggest_rate(table), tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")


def test_the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss() -> None:
    table = pd.DataFrame({"learning_rate": [0.01, 0.1, 1.0], "loss": [2.0, 1.0, 5.0]})
    assert suggest_rate(table) == pytest.approx(0.01)


def test_a_loss_that_stays_low_suggests_where_it_fell() -> None:
    table = pd.DataFrame({"learning_rate": [0.001, 0.01, 0.1, 1.0, 10.0], "loss": [2.0, 0.1, 0.05, 0.04, 0.03]})
    assert suggest_rate(table) == pytest.approx(0.01)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_it(monkeypatch: pytest.MonkeyPatch, bad: Any) -> None:
    monkeypatch.setattr("darkroom.train.rate_range._smoothed", lambda _: iter([2.3, 2.2, 1.0, 0.9, bad, 5.0]))
    table = measure_rates(data()["train"], small_params())
    assert table["loss"].tolist() == [2.3, 2.2, 1.0, 0.9] and suggest_rate(table) < table["learning_rate"].iloc[3]


def test_a_loss_that_never_is_a_number_is_said() -> None:
    with pytest.raises(UserError, match=r"not finite at the lowest rate: check train.l2, train.precision"):
        measure_rates(data()["train"], small_params(train={"l2": 1e38}))
