"""The features of a frozen backbone, computed once: the same head, the same weights however often it is stopped."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from darkroom.augmentation.variation import Variation
from darkroom.examples.pixels import Examples
from darkroom.models.architecture import build_network
from darkroom.models.backbones import load_pretrained
from darkroom.params.declared import DeclaredParams
from darkroom.train import frozen
from darkroom.train.checkpoint import Checkpoint, Progress
from darkroom.train.ensemble import _unused
from darkroom.train.fit import Fit, fit
from darkroom.train.frozen import Part, Passes, phase_part
from darkroom.train.phases import phases
from easy import data, small_params, weights_digest

SMALL_FIRST = {"train": {"small_epochs": 1, "small_size": 32}, "image": {"size": 64}}
PLAIN = {"horizontal_flip": False, "rotation": 0.0, "shift": 0.0}


def tiny_backbone(architecture: str, width: float, shape: tuple[int, ...], weights: str | None = None) -> keras.Model:  # noqa: ARG001
    inputs = keras.Input(shape)
    x = keras.layers.Conv2D(6, 3, strides=2, activation="relu", name="first")(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(12, 3, strides=2, activation="relu", name="second")(x))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder with the weights of a tiny backbone, in place of every other one; the cache is beside it."""
    monkeypatch.setattr("darkroom.models.backbones.build_backbone", tiny_backbone)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    keras.utils.set_random_seed(3)
    tiny_backbone("", 1.0, (32, 32, 3)).save_weights(tmp_path / "tiny.weights.h5")
    return tmp_path


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files of features that were computed."""
    seen: list[str] = []
    write = frozen._write_features

    def noted(file: Path, *rest: Any) -> None:
        seen.append(file.name)
        write(file, *rest)

    monkeypatch.setattr(frozen, "_write_features", noted)
    return seen


def params_of(passes: int, **changes: dict[str, Any]) -> DeclaredParams:
    model = {"architecture": "MobileNet", "weights": "tiny.weights.h5", "head": "average", **changes.pop("model", {})}
    finetune = {"passes": passes, **changes.pop("finetune", {})}
    return small_params(**{"image": {"size": 32}, **changes, "model": model, "finetune": finetune})


def train(passes: int, folder: Path, checkpoint: Checkpoint | None = None, log: Any = None, **changes: Any) -> Fit:
    return fit(data(side=32), params_of(passes, **changes), folder, checkpoint, log)


@pytest.mark.slow
def test_the_head_is_that_of_computing_each_epoch_anew(folder: Path) -> None:
    """Adam would divide the last bits of gradients near 0 by themselves, and so carry them to the first."""
    options: dict[str, Any] = {"augment": PLAIN, "train": {"epochs": 3, "optimizer": "sgd"}}
    anew, kept = (train(passes, folder, **options) for passes in (0, 1))
    assert np.allclose(anew.history.to_numpy(float), kept.history.to_numpy(float), atol=1e-5)
    pixels = data(side=32)["validation"].pixels
    assert np.allclose(np.asarray(anew.network(pixels)), np.asarray(kept.network(pixels)), atol=1e-5)


def test_the_network_is_the_given_backbone_with_a_trained_head(folder: Path, computed: list[str]) -> None:
    fitted = train(2, folder)
    given = tiny_backbone("", 1.0, (32, 32, 3))
    given.load_weights(folder / "tiny.weights.h5")
    backbone = fitted.network.get_layer("backbone")
    assert all(map(np.array_equal, given.get_weights(), backbone.get_weights()))
    assert fitted.network.input_shape == (None, 32, 32, 3) and len(fitted.history) == 4
    answers = fitted.network(data(side=32)["validation"].pixels)
    right = np.asarray(answers).argmax(axis=1) == data()["validation"].labels
    best = fitted.history[fitted.history["kept"]].iloc[0]
    assert right.mean() == pytest.approx(best["validation_accuracy"]) and right.mean() > 0.9
    assert len(computed) == 2  # in one pass over train and validation each


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(folder: Path, epoch: int, computed: list[str]) -> None:
    options: dict[str, Any] = {"finetune": {"epochs": 2, "layers": 1}, "train": {"epochs": 2, "ema": 0.9}}
    whole, checkpoint = train(2, folder, **options), Checkpoint(folder / "killed")

    def kill(metrics: dict[str, float], done: int) -> None:  # noqa: ARG001
        if done == epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(2, folder, checkpoint, kill, **options)
    assert len(computed) == 2  # train and validation, by the first training
    for file in (folder / ".cache/features").glob("*.npy"):
        file.unlink()
    resumed = train(2, folder, checkpoint, **options)
    assert weights_digest(resumed.network) == weights_digest(whole.network)
    assert resumed.history.equals(whole.history) and len(resumed.history) == 4
    assert len(computed) == (4 if epoch == 1 else 2)  # none are needed where only fine-tuning is left


def test_trainings_that_differ_in_the_head_alone_share_features(folder: Path, computed: list[str]) -> None:
    part(folder, params_of(2))
    part(folder, params_of(2, train={"learning_rate": 0.5}, model={"dense": []}, finetune={"epochs": 3}))
    assert len(computed) == 2
    part(folder, params_of(2, augment={"rotation": 90.0}))  # validation is not varied
    assert len(computed) == 3
    part(folder, params_of(2), seed=1)
    assert len(computed) == 4
    other = {**data(side=32), "validation": data(side=32)["train"]}
    part(folder, params_of(2), pictures=other)
    assert len(set(computed)) == len(computed) == 5


def part(folder: Path, params: DeclaredParams, seed: int = 0, pictures: dict[str, Examples] | None = None) -> Part:
    network = build_network(params.model, 32, 2)
    load_pretrained(network, params.model, folder)
    vary = Variation(params.augment, seed)
    return phase_part(network, params, phases(params)[0], pictures or data(side=32), vary)


def test_each_pass_holds_the_features_of_pictures_varied_anew(folder: Path) -> None:
    found = part(folder, params_of(3))
    assert isinstance(found.vary, Passes) and found.vary.features.shape == (3, 96, 12)
    assert found.vary.features.dtype == np.float32 and len(np.unique(found.vary.features, axis=0)) == 3
    assert np.shape(found.validation.pixels[:]) == (32, 12) and found.trainer.input_shape == (None, 12)
    plain = part(folder, params_of(3, augment=PLAIN)).vary
    assert isinstance(plain, Passes) and len(plain.features) == 1  # all passes would be the same
    short = part(folder, params_of(3, train={"epochs": 2})).vary
    assert isinstance(short, Passes) and len(short.features) == 2  # more epochs than that would not see them


def test_copies_and_weights_stay_with_their_pictures(folder: Path) -> None:
    pictures = data(side=32)
    copies, weights = np.arange(96, dtype=np.int32) % 3, np.arange(96, dtype=np.float32)
    pictures["train"] = replace(pictures["train"], copies=copies, weights=weights)
    found = part(folder, params_of(2), pictures=pictures)
    epoch = found.train
    assert len(epoch) == copies.sum() and epoch.weights is not None
    assert np.array_equal(epoch.weights, np.repeat(weights, copies))
    assert np.array_equal(epoch.labels, pictures["train"].labels[epoch.rows])


def test_copies_draw_a_pass_each_and_every_draw_repeats() -> None:
    passes = Passes(np.arange(4, dtype=np.float32)[:, None, None] + np.zeros((4, 5, 1), np.float32), seed=2)
    rows, targets = np.repeat(2, 200), np.ones((200, 2), np.float32)
    drawn, same = (passes.vary(rows, targets, rows, 3, 1)[0] for _ in range(2))
    assert set(drawn.ravel()) == {0, 1, 2, 3} and np.array_equal(drawn, same)
    assert not np.array_equal(drawn, passes.vary(rows, targets, rows, 4, 1)[0])


@pytest.mark.parametrize("changes", [{"augment": {"mixup": 0.2}}, SMALL_FIRST, {}])
def test_where_epochs_need_pictures_the_whole_network_is_trained(folder: Path, changes: dict[str, Any]) -> None:
    params = params_of(2 if changes else 0, **changes)
    found = part(folder, params)
    assert np.shape(found.train.pixels[:]) == (96, 32, 32, 3) and found.trainer.input_shape == (None, 32, 32, 3)
    assert ("finetune.passes is not used" in _unused(params)) is bool(changes)


@pytest.mark.slow  # the next test sees which epoch is kept, without a training
def test_fine_tuning_that_spoils_the_network_is_not_kept(folder: Path) -> None:
    finetune = {"epochs": 2, "layers": 2, "learning_rate": 0.01}
    pictures = data(turned=True, side=32)  # what is learnt from train is wrong on validation
    both, frozen_alone = (
        fit(pictures, params_of(1, train={"epochs": 2, "keep": "last"}, finetune=changes), folder)
        for changes in (finetune, {})
    )
    assert (both.history["validation_loss"].iloc[2:] > both.history["validation_loss"].iloc[1]).all()
    assert both.best_epoch == 2 and weights_digest(both.network) == weights_digest(frozen_alone.network)


@pytest.mark.parametrize(
    ("losses", "kept"),
    [([0.5, 0.4], 4), ([0.4, 0.6], 3), ([0.7, 0.6], 2), ([float("nan"), 0.5], 4), ([0.7, float("nan")], 2)],
)
def test_the_last_epoch_is_kept_unless_it_is_worse_than_the_frozen_part(losses: list[float], kept: int) -> None:
    progress = Progress("last")
    for number, (phase, loss) in enumerate([(1, 0.2), (1, 0.5), *((2, loss) for loss in losses)]):
        row = {"phase": phase, "loss": 0.1, "validation_loss": loss, "validation_accuracy": 0.5}
        progress.add(row, [np.array(number)])
    assert progress.best_epoch == kept and progress.best_weights[0] == kept - 1


def test_the_features_used_longest_ago_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate(("new", "used", "old")):
        (folder / f"{name}.npy").write_bytes(b"0" * 10)
        os.utime(folder / f"{name}.npy", (100 - age, 100 - age))
    monkeypatch.setattr(frozen, "KEPT_BYTES", 20)
    frozen._delete_oldest(folder / "new.npy")
    assert sorted(path.name for path in folder.glob("*.npy")) == ["new.npy", "used.npy"]
