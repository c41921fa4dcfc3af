"""A training that stops after any epoch goes on to the very same weights."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.examples.pixels import Examples
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import KEPT, Checkpoint, locked_checkpoints
from darkroom.train.fit import Fit, fit
from easy import data, small_params, weights_digest

CASES: dict[str, dict[str, dict[str, Any]]] = {
    "adam": {"train": {"patience": 2}},
    "averaged bfloat16": {
        "train": {"ema": 0.9, "precision": "bfloat16", "optimizer": "sgd", "schedule": "cosine", "keep": "last"},
        "augment": {"mixup": 0.3, "rand_augment": 1},
    },
    "float16": {"train": {"precision": "float16", "epochs": 2}},
    "smaller first": {
        "train": {"optimizer": "muon", "momentum": 0.6, "ema": 0.9, "small_epochs": 2, "small_size": 4, "keep": "last"},
        "model": {"architecture": "residual", "filters": [8], "head": "max", "dense": []},
    },
    "two phases": {
        "model": {"architecture": "MobileNet", "width": 0.25, "weights": "small.weights.h5", "head": "average"},
        "finetune": {"epochs": 2, "layers": 10, "learning_rate": 0.001},
        "train": {"epochs": 1},
        "image": {"size": 32},
    },
}
EPOCHS = {"float16": 2, "two phases": 3}  # of a case; 4 where none is given


class Stopped(Exception):
    """In place of a kill, which leaves the same: the checkpoint of the last epoch."""


def train_until(epoch: int, params: Any, pictures: Any, checkpoint: Checkpoint, weights: Path = Path()) -> None:
    def stop(metrics: dict[str, float], done: int) -> None:  # noqa: ARG001
        if done == epoch:
            raise Stopped

    with pytest.raises(Stopped):
        fit(pictures, params, weights, checkpoint, stop)


@dataclass(frozen=True)
class Case:
    """A training that nothing interrupted, with what it was made from."""

    params: DeclaredParams
    pictures: dict[str, Examples]
    weights: Path
    whole: Fit


@pytest.fixture(scope="module")
def cases(pretrained: Path) -> Callable[[str], Case]:
    """Return what trains a case when it is first asked for."""

    @cache
    def train(name: str) -> Case:
        params, pictures = small_params(**CASES[name]), data(side=32 if name == "two phases" else 8)
        return Case(params, pictures, pretrained, fit(pictures, params, pretrained))

    return train


def interruptions() -> list[Any]:
    """Return each case with each of its epochs; one epoch of the case with most to restore is not slow."""
    quick = {("averaged bfloat16", 3)}
    every = [(name, epoch) for name in CASES for epoch in range(1, EPOCHS.get(name, 4) + 1)]
    return [pytest.param(*one, marks=() if one in quick else pytest.mark.slow) for one in every]


@pytest.mark.parametrize(("name", "epoch"), interruptions())
def test_it_resumes_to_the_same_weights(name: str, epoch: int, cases: Callable[[str], Case], tmp_path: Path) -> None:
    case, checkpoint = cases(name), Checkpoint(tmp_path / "interrupted")
    train_until(epoch, case.params, case.pictures, checkpoint, case.weights)
    resumed = fit(case.pictures, case.params, case.weights, checkpoint)
    assert weights_digest(resumed.network) == weights_digest(case.whole.network)
    assert resumed.history.equals(case.whole.history) and resumed.best_epoch == case.whole.best_epoch
    assert len(case.whole.history) == EPOCHS.get(name, 4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Fit]:
    checkpoint = Checkpoint(tmp_path_factory.mktemp("finished"))
    return checkpoint, fit(data(), small_params(), checkpoint=checkpoint)


def test_a_finished_training_is_not_run_again(finished: tuple[Checkpoint, Fit]) -> None:
    (checkpoint, first), seen = finished, []
    again = fit(data(), small_params(), Path(), checkpoint, lambda *numbers: seen.append(numbers))
    rows = first.history.drop(columns="kept").to_dict("records")
    assert [metrics for metrics, _ in seen] == rows  # into the new run, with no speed: nothing was trained
    assert weights_digest(again.network) == weights_digest(first.network)


def test_an_equal_training_that_waited_takes_the_result(finished: tuple[Checkpoint, Fit], tmp_path: Path) -> None:
    speeds: list[bool] = []

    def train() -> str:
        with locked_checkpoints(tmp_path / "key") as folder:
            log = lambda metrics, epoch: speeds.append("images_per_second" in metrics)  # noqa: E731, ARG005
            return weights_digest(fit(data(), small_params(), checkpoint=Checkpoint(folder), log=log).network)

    with ThreadPoolExecutor(1) as other:
        with locked_checkpoints(tmp_path / "key") as folder:
            waiting = other.submit(train)
            shutil.copy(finished[0].file, folder)  # what the training that it waits for leaves
        assert waiting.result() == weights_digest(finished[1].network)
    assert speeds == [False] * 4  # logged again, not trained


def test_a_finished_training_leaves_its_weights_and_history_only(finished: tuple[Checkpoint, Fit]) -> None:
    checkpoint, fitted = finished
    with np.load(checkpoint.file) as saved:
        assert sorted(saved.files) == sorted(["facts", *(f"best{i:05}" for i in range(len(fitted.network.weights)))])


def test_the_newest_finished_trainings_are_kept(tmp_path: Path) -> None:
    (tmp_path / "interrupted").mkdir()
    for number in range(KEPT + 2):
        with locked_checkpoints(tmp_path / f"key{number}") as folder:
            (folder / "last.npz").touch()
    with pytest.raises(Stopped), locked_checkpoints(tmp_path / "failed"):
        raise Stopped
    kept = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert kept == ["failed", "interrupted", *(f"key{number}" for number in range(2, KEPT + 2))]


def test_one_in_use_is_kept(tmp_path: Path) -> None:
    with locked_checkpoints(tmp_path / "old"):
        pass
    with locked_checkpoints(tmp_path / "old") as used:
        for number in range(KEPT):
            with locked_checkpoints(tmp_path / f"key{number}"):
                pass
        assert used.exists()


@pytest.mark.slow
def test_nothing_half_written_is_read(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "torn")
    train_until(2, small_params(), data(), checkpoint)
    checkpoint.file.with_name("last.npz.partial").write_bytes(checkpoint.file.read_bytes()[:1000])
    assert weights_digest(fit(data(), small_params(), checkpoint=checkpoint).network) == weights_digest(
        fit(data(), small_params()).network
    )


def test_a_training_that_is_stopped_while_it_saves_leaves_the_epoch_before_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, save = Checkpoint(tmp_path / "stopped"), np.savez
    before: list[bytes] = []  # the file as the second and the third epoch find it

    def stop(file: Any, **arrays: Any) -> None:
        before.extend(old.read_bytes() for old in [checkpoint.file] if old.exists())
        if len(before) < 2:
            return save(file, **arrays)
        save(file, **dict(list(arrays.items())[:3]))
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(data(), small_params(), checkpoint=checkpoint)
    assert [path.name for path in checkpoint.file.parent.iterdir()] == ["last.npz"]
    assert checkpoint.file.read_bytes() == before[-1] != before[0]
