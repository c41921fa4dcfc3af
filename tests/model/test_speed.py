"""The speed of this machine, as `darkroom begin` measures it."""

from dataclasses import asdict
from pathlib import Path

import pytest

from darkroom.begin.speed import measure_speed
from darkroom.params.load import with_overlay
from defaults import default_params

SMALL = {"filters": [4, 8], "head": "average", "dense": [], "architecture": "conv"}


@pytest.mark.parametrize(("small_epochs", "kinds"), [(0, {"whole"}), (3, {"small", "whole"})])
def test_each_kind_of_epoch_is_timed(tmp_path: Path, small_epochs: int, kinds: set[str]) -> None:
    train = {"epochs": 6, "small_epochs": small_epochs, "small_size": 12, "batch_size": 64}
    params = with_overlay(default_params(), {"model": SMALL, "train": train, "image": {"size": 16}}, "test")
    found = asdict(measure_speed(params, (40, 1.5), 3, tmp_path))
    assert {name for name in ("small", "whole", "tuned") if found[name]} == kinds
    assert all(0 < found[name] < 60 for name in ("start", "answer", "decode", "python", *kinds))
