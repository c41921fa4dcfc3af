import io
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.examples.metrics import predict, score_split
from darkroom.execution.logs import configure_logging
from darkroom.models.combine import combine
from darkroom.train.checkpoint import Row
from darkroom.train.ensemble import Data, Fold, fit_members, histories, in_fold, measure_members, members
from darkroom.train.fit import Fit
from defaults import default_params
from easy import data, examples, small_params, weights_digest

BALANCE = default_params().balance
Parts = dict[Fold, Data]


def test_members_are_architectures_times_seeds_times_folds() -> None:
    params = small_params(
        ensemble={"seeds": 2, "architectures": ["conv", "residual"], "folds": True}, split={"folds": 3}
    )
    chosen = members(params, [0, 1, 2])
    found = [(one.params.model.architecture, one.params.train.seed, one.fold) for one in chosen]
    assert len(set(found)) == 12 and found[0] == ("conv", 0, 0) and found[-1] == ("residual", 1, 2)


def test_without_an_ensemble_there_is_one() -> None:
    (only,) = members(small_params(ensemble={}), [None])
    assert only.params.flat() == small_params(ensemble={}).flat() and only.fold is None


def splits() -> pd.DataFrame:
    table = pd.DataFrame({"image_id": [f"{number:02}" for number in range(12)], "label": ["a", "b"] * 6})
    folds = pd.array([0, 0, 1, 1, 2, 2, 2, 1, 0, 1] + [None] * 2, "Int32")
    names = ["validation" if fold is not pd.NA and fold == 0 else "train" for fold in folds[:10]] + ["test"] * 2
    return table.assign(split=names, fold=folds, weight=1.0, copies=np.int32(1), reason=None)


def test_each_fold_validates_what_the_others_train() -> None:
    for fold in range(3):
        moved = in_fold(splits(), fold, BALANCE)
        assert (moved["split"] == "test").tolist() == (splits()["split"] == "test").tolist()
        assert ((moved["split"] == "validation") == (splits()["fold"] == fold).fillna(False)).all()
    assert in_fold(splits(), 0, BALANCE)["split"].tolist() == splits()["split"].tolist()
    assert in_fold(splits(), None, BALANCE).equals(splits())


def test_the_train_pictures_of_a_fold_are_balanced_anew() -> None:
    table = splits().assign(label=["a"] * 9 + ["b"] * 3)
    weighted = BALANCE.model_copy(update={"method": "class_weight"})
    moved = in_fold(table, 2, weighted)
    train = moved[moved["split"] == "train"]
    assert train.groupby("label")["weight"].sum().round(6).nunique() == 1
    assert (moved[moved["split"] != "train"]["weight"] == 1).all()


PARTS: Parts = {fold: {"train": examples(96, 1 + fold), "validation": examples(20, 10 + fold)} for fold in (0, 1)}
FOLDED = small_params(ensemble={"folds": True}, split={"folds": 2}, train={"epochs": 2})


@dataclass(frozen=True)
class Trained:
    """Two networks, each validated by a fold of its own, with what was logged and printed."""

    fits: list[Fit]
    logged: list[Row]
    said: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder, said, logged = tmp_path_factory.mktemp("ensemble"), io.StringIO(), []
    with redirect_stderr(said):
        configure_logging("train")
        chosen = members(FOLDED, PARTS)
        fits = fit_members(chosen, PARTS, folder, folder, lambda metrics, _: logged.append(metrics), 0)
    return Trained(fits, logged, said.getvalue())


def test_an_ensemble_answers_with_the_mean_and_says_which_network_is_whose(trained: Trained) -> None:
    fits = trained.fits
    assert "train: network 2 of 2: conv, seed 0, validated by fold 1" in trained.said
    assert histories(fits)["network"].tolist() == [1, 1, 2, 2]
    assert {name.split("/")[0] for metrics in trained.logged for name in metrics} == {"network1", "network2"}
    answers = [predict(one.network, data()["validation"], 16) for one in fits]
    together = predict(combine([one.network for one in fits], "none"), data()["validation"], 16)
    assert together == pytest.approx((answers[0] + answers[1]) / 2, abs=1e-6)
    assert not np.array_equal(answers[0], answers[1])


def test_with_folds_no_network_is_asked_what_it_learnt(trained: Trained) -> None:
    answers = measure_members(members(FOLDED, PARTS), trained.fits, PARTS, FOLDED)
    assert len(answers["train"]) == 2 * 96
    scores, own = answers["validation"].scores(), zip(trained.fits, PARTS.values(), strict=True)
    losses = [score_split(one.network, part["validation"], 16)["log_loss"] for one, part in own]
    assert scores["pictures"] == 40 and scores["log_loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_weights_that_are_not_there_are_said_before_any_network_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensemble = {"architectures": ["conv", "MobileNet"]}
    params = small_params(
        ensemble=ensemble, model={"weights": "gone.h5", "head": "average"}, finetune={}, image={"size": 32}
    )
    parts: Parts = {None: data(side=32)}
    with pytest.raises(UserError, match=r"gone.h5: not found in data/weights/"):
        fit_members(members(params, [None]), parts, tmp_path, tmp_path / "checkpoints", print, 0)
    assert not (tmp_path / "checkpoints").exists() and "network 1" not in capsys.readouterr().out


@pytest.mark.slow
def test_an_ensemble_that_is_stopped_goes_on_within_its_second_network(tmp_path: Path) -> None:
    params = small_params(ensemble={"seeds": 2}, train={"epochs": 3})
    parts: Parts = {None: data()}
    chosen = members(params, [None])

    def stop(metrics: dict[str, float], epoch: int) -> None:
        if epoch == 2 and "network2/loss" in metrics:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_members(chosen, parts, tmp_path, tmp_path / "stopped", stop, 0)
    trained: list[str] = []

    def note(metrics: dict[str, float], epoch: int) -> None:  # what is trained has a speed
        trained.extend(f"{name} {epoch}" for name in metrics if "images_per_second" in name)

    resumed = fit_members(chosen, parts, tmp_path, tmp_path / "stopped", note, 0)
    whole = fit_members(chosen, parts, tmp_path, tmp_path / "whole", lambda *_: None, 0)
    assert trained == ["network2/images_per_second 3"]
    assert [weights_digest(one.network) for one in resumed] == [weights_digest(one.network) for one in whole]
