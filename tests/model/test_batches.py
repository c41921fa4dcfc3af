from dataclasses import replace

import numpy as np
import pytest

from darkroom.augmentation.variation import Variation
from darkroom.examples.batches import Batches
from easy import examples, small_params


@pytest.mark.parametrize(("pictures", "size"), [(96, 32), (97, 32), (33, 16), (5, 64), (1, 4)])
def test_the_batches_of_an_epoch_are_of_one_size_and_hold_every_picture_once(pictures: int, size: int) -> None:
    batches = Batches(examples(pictures, 1), size, seed=0)
    counts = [len(batches[index][1]) for index in range(len(batches))]
    assert len(counts) == -(-pictures // size) and sum(counts) == pictures
    assert max(counts) - min(counts) <= 1 and max(counts) <= size
    seen = np.concatenate([batches[index][0] for index in range(len(batches))])
    assert sorted(map(bytes, seen)) == sorted(map(bytes, batches.examples.pixels[:]))


def test_mixed_pictures_mix_their_weights() -> None:
    clean = examples(96, 1)
    weighted = replace(clean, weights=np.where(clean.labels == 1, 3, 1).astype(np.float32))
    mixing = Variation(small_params(augment={"mixup": 1.0}).augment, 0)
    _, targets, weights = Batches(weighted, 96, 0, mixing)[0]
    assert targets.dtype == weights.dtype == np.float32 and len(np.unique(weights)) > 10
    assert weights == pytest.approx(targets @ np.array([1, 3]), abs=1e-5)
