from dataclasses import replace

import numpy as np
import pytest

from darkroom.augmentation.variation import Variation
from darkroom.examples.batches import Batches
from easy import examples, small_params


@pytest.mark.parametrize(("pictures", "size"), [(96, 32), (97, 32), (33, 16), (5, 64), (1, 4)])
def test_the_batches_of_an_epoch_are_of_one_size_and_hold_every_picture_once(pictures: int, size: int) -> None:
    batches = Batches(examples(pictures, 1), size, seed=0)
    made = list(batches)
    counts = [len(targets) for _, targets in made]
    assert len(counts) == len(batches) == -(-pictures // size) and sum(counts) == pictures
    assert max(counts) - min(counts) <= 1 and max(counts) <= size
    seen = np.concatenate([pixels for pixels, _ in made])
    assert sorted(map(bytes, seen)) == sorted(map(bytes, batches.examples.pixels[:]))


def test_mixed_pictures_mix_their_weights() -> None:
    clean = examples(96, 1)
    weighted = replace(clean, weights=np.where(clean.labels == 1, 3, 1).astype(np.float32))
    mixing = Variation(small_params(augment={"mixup": 1.0}).augment, 0)
    ((_, targets, weights),) = Batches(weighted, 96, 0, mixing)
    assert targets.dtype == weights.dtype == np.float32 and len(np.unique(weights)) > 10
    assert weights == pytest.approx(targets @ np.array([1, 3]), abs=1e-5)


def test_keras_gets_the_batches_of_the_epoch_that_is_set_and_no_autotuning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.examples.batches.BYTES_AT_ONCE", 4 * examples(97, 1).pixels[:16].nbytes)
    batches = Batches(examples(97, 1), 16, 0, Variation(small_params(augment={"rotation": 20}).augment, 0))
    dataset = batches.dataset()
    assert batches.at_once == 4 and len(dataset) == len(batches) == 7
    assert not dataset.options().autotune.enabled  # with it, the end of an epoch may wait for a minute
    for epoch in (0, 1, 0):
        batches.epoch = epoch
        for ours, keras in zip(batches, dataset.as_numpy_iterator(), strict=True):
            assert all(map(np.array_equal, ours, keras))


def test_threads_make_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches(examples(97, 1), 4, 0, Variation(small_params(augment={"rotation": 20}).augment, 0))
    batches.at_once = 2
    one = [pixels for pixels, _ in batches]
    monkeypatch.setattr("darkroom.examples.batches._threads", lambda: 5)
    assert all(map(np.array_equal, one, [pixels for pixels, _ in batches]))
