"""What `darkroom shrink` trains: students that learn from a teacher, and networks whose weights are pruned."""

import numpy as np
import pytest

from darkroom.augmentation.variation import Variation
from darkroom.export.distillation import TAUGHT, Distilled
from darkroom.export.pruning import kernels, pruned
from darkroom.export.shrink_table import best_names
from darkroom.export.students import Front
from darkroom.models.architecture import build_network
from easy import data, examples, small_params

SIDE = 8


def test_the_teacher_s_answers_are_mixed_into_the_targets_and_weights_stay() -> None:
    targets = np.array([[1, 0, 2.5], [0, 1, 0.5]], np.float32)  # the last column: weights
    params = small_params(augment={"rotation": 0.0, "shift": 0.0, "horizontal_flip": False})
    distilled = Distilled(Variation(params.augment, 0), lambda pixels: np.full((len(pixels), 2), 0.5, np.float32))
    pixels = examples(2, 1).pixels[:2]
    varied, taught = distilled.vary(pixels, targets, np.arange(2), 0, 0)
    own = 1 - TAUGHT / 2
    assert np.array_equal(varied, pixels)
    assert taught == pytest.approx(np.array([[own, 1 - own, 2.5], [1 - own, own, 0.5]]))


def test_pruned_weights_stay_zero_while_the_others_learn() -> None:
    params = small_params()
    network = build_network(params.model, SIDE, 2)
    sparse = pruned(network, 0.5, data(), params.train, Variation(params.augment, 0), 2)
    weights = np.concatenate([np.asarray(variable).ravel() for variable in kernels(sparse)])
    assert (weights == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert all(variable.constraint is None for variable in kernels(sparse))


def test_the_front_leaves_out_what_is_slower_and_no_better() -> None:
    rows = [
        Front(name, 1, accuracy, 1.0, 1.0, ms, "")
        for name, accuracy, ms in [("a", 0.9, 2), ("b", 0.9, 1), ("c", 0.8, 3)]
    ]
    assert best_names(rows) == {"b"}
