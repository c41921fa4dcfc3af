from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.evaluate.measure import measured_splits
from darkroom.execution.logs import configure_logging
from darkroom.params.declared import DeclaredParams
from darkroom.train.debug import debug_data, debug_params, overfit_verdict
from darkroom.train.ensemble import fit_members, members
from darkroom.train.fit import fit
from easy import data, small_params


def debugging(**debug: Any) -> DeclaredParams:
    train = {"epochs": 30, "label_smoothing": 0.1}
    return debug_params(small_params(debug=debug, finetune={}, train=train, model={"dropout": 0.2}))


def test_off_changes_nothing() -> None:
    params = debugging(mode="none", fraction=1.0)
    train = {"epochs": 30, "label_smoothing": 0.1}
    assert params.flat() == small_params(debug={}, finetune={}, train=train, model={"dropout": 0.2}).flat()
    assert len(debug_data(data(), params)["train"]) == 96


def test_a_step_is_one_batch_and_one_epoch() -> None:
    params = debugging(mode="step")
    few = debug_data(data(), params)
    assert {len(part) for part in few.values()} == {params.train.batch_size}
    assert len(fit(few, params).history) == 1
    assert (params.tune.trials, params.tune.epochs) == (1, 1)


def test_a_step_measures_one_batch_of_each_split() -> None:
    splits = pd.DataFrame({"split": ["train", "test"] * 30, "copies": np.int32(1)})
    left = measured_splits(splits, debugging(mode="step"))
    assert left.groupby("split")["copies"].sum().to_dict() == {"train": 16, "test": 16}
    assert measured_splits(splits, debugging(mode="overfit")) is splits


def test_what_a_network_has_not_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.train.ensemble.run_job", lambda *_: None)  # it is said before
    model = {"architecture": "residual", "head": "max", "block_dropout": 0.3, "dense": []}
    params = small_params(model=model, augment={"shift": 0.05}, ensemble={})
    configure_logging("train")
    fit_members(members(params, [None]), {None: data()}, tmp_path, tmp_path, lambda *_: None, 0)
    said = capsys.readouterr().err
    assert "train: model.block_dropout = 0.3 is not used: residual has none; " in said
    assert "model.dropout = 0.1 is not used: it follows dense layers, and there are none; " in said
    assert "augment.shift = 0.05 is not used: it is less than half a pixel" in said  # of 8


HASTY = {"optimizer": "muon", "learning_rate": 0.03, "momentum": 0.6, "weight_decay": 0.3, "warmup": 0.05, "ema": 0.99}


@pytest.mark.slow
@pytest.mark.parametrize(
    "train",
    [{"momentum": 0.9}, HASTY | {"label_smoothing": 0.2, "loss": "focal"}],
)
def test_one_batch_is_learnt_by_heart(train: Any) -> None:
    params = debugging(mode="overfit").overlaid({"train": {**train, "epochs": 3}}, "test")
    params = debug_params(params)
    assert params.train.label_smoothing == params.model.dropout == 0 and not params.tune.enabled
    few = debug_data(data(), params)
    assert few["validation"] is few["train"] and len(few["train"]) == 16
    history = fit(few, params).history
    assert history["validation_accuracy"].iloc[-1] == 1 and history["validation_loss"].iloc[-1] < 0.01
    assert overfit_verdict(history).startswith("the network memorised the batch: 100.0% of the batch is right, loss ")


def test_a_batch_that_is_not_learnt_is_said() -> None:
    history = pd.DataFrame({"validation_accuracy": [0.5, 0.75], "validation_loss": [1.0, 0.9]})
    assert "is not learnt: 75.0% of the batch is right, loss 0.9; check train.learning_rate" in overfit_verdict(history)


def test_learning_by_heart_passes_over_a_space_that_does_not_suit_it() -> None:
    space = {"train": {"patience": {"low": 3, "high": 10}}}
    params = small_params(debug={"mode": "overfit"}, tune={"enabled": True, "space": space})
    assert debug_params(params).train.patience == 0


def test_a_fraction_is_drawn_by_the_seed() -> None:
    params = debugging(fraction=0.25)
    rows = [debug_data(data(), params)["train"].rows.tolist() for _ in range(2)]
    assert rows[0] == rows[1] and len(rows[0]) == 24
    other = debugging(fraction=0.25).overlaid({"train": {"seed": 1}}, "test")
    assert debug_data(data(), other)["train"].rows.tolist() != rows[0]
