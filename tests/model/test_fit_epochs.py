"""The epochs of a training: their rate and the size of their pictures, what is told of each, and when they end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.examples.batches import Batches
from darkroom.train.checkpoint import Checkpoint, Progress
from darkroom.train.fit import fit
from easy import data, small_params, weights_digest


def test_patience_ends_it_early() -> None:
    stopped = fit(data(turned=True), small_params(train={"epochs": 30, "patience": 2}))
    assert len(stopped.history) == stopped.best_epoch + 2 < 30


def test_the_rate_follows_the_schedule_and_each_epoch_is_logged() -> None:
    seen = []
    train = {"schedule": "step", "step_epochs": [1, 2], "step_factor": 0.5, "epochs": 3, "optimizer": "sgd"}
    history = fit(data(), small_params(train=train), log=lambda metrics, epoch: seen.append((epoch, metrics))).history
    assert history["learning_rate"].tolist() == pytest.approx([0.01, 0.005, 0.0025])
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert [metrics["validation_loss"] for _, metrics in seen] == history["validation_loss"].tolist()
    assert all(metrics["images_per_second"] > 0 and metrics["peak_memory_mb"] > 50 for _, metrics in seen)
    assert not {"images_per_second", "peak_memory_mb"} & set(history)


def test_a_callable_that_sees_each_epoch_may_stop_the_training(tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, float]]] = []

    def stop_after_two(epoch: int, metrics: dict[str, float]) -> bool:
        seen.append((epoch, metrics))
        return epoch == 2

    stopped = fit(data(), small_params(), checkpoint=Checkpoint(tmp_path), on_epoch=stop_after_two)
    assert stopped.history.drop(columns="kept").to_dict("records") == [metrics for _, metrics in seen]
    assert [epoch for epoch, _ in seen] == [1, 2]
    again = fit(data(), small_params(), checkpoint=Checkpoint(tmp_path), on_epoch=stop_after_two)
    assert seen[:2] == seen[2:] and weights_digest(again.network) == weights_digest(stopped.network)


SMALL_FIRST: dict[str, dict[str, Any]] = {"train": {"small_epochs": 2, "small_size": 4}, "model": {"head": "max"}}


def test_the_first_epochs_see_smaller_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    make = Batches._make

    def noted(batches: Batches, epoch: int, order: np.ndarray, part: int) -> Any:
        seen.append(make(batches, epoch, order, part))
        return seen[-1]

    monkeypatch.setattr(Batches, "_make", noted)
    fitted = fit(data(), small_params(**SMALL_FIRST))
    sides = [pixels.shape[1] for pixels, _ in seen if len(pixels) == 96]
    assert sides == sorted(sides) and {4, 8} == set(sides)
    assert {pixels.shape[1] for pixels, _ in seen if len(pixels) == 32} == {8}  # validation
    assert fitted.history["learning_rate"].nunique() == 1 and fitted.history["epoch"].tolist() == [1, 2, 3, 4]
    assert fitted.network.input_shape == (None, 8, 8, 3)


@pytest.mark.slow
def test_patience_begins_with_the_full_size() -> None:
    changes = {**SMALL_FIRST, "train": {**SMALL_FIRST["train"], "epochs": 30, "small_epochs": 8, "patience": 2}}
    stopped = fit(data(turned=True), small_params(**changes))  # the better it learns, the worse it looks
    assert stopped.best_epoch < 8 and len(stopped.history) == 10


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    train = {"optimizer": "sgd", "l2": 1e30}
    diverged = fit(data(), small_params(train=train)).history
    assert len(diverged) < 4 and not np.isfinite(diverged["loss"].iloc[-1])


@pytest.mark.parametrize("keep", ["loss", "accuracy", "last"])
def test_an_epoch_whose_loss_is_no_number_is_not_kept(keep: str) -> None:
    progress = Progress(keep)
    for number, loss in enumerate([0.7, np.nan]):
        row = {"loss": loss, "validation_loss": loss, "validation_accuracy": number, "phase": 1}
        progress.add(row, [np.array(number)])
    assert (progress.best_epoch, progress.best_weights, progress.diverged) == (1, [np.array(0)], True)
