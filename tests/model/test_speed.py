"""The speed of this machine, as `darkroom begin` measures it."""

from dataclasses import asdict
from pathlib import Path

from darkroom.begin.speed import measure_speed
from darkroom.params.load import with_overlay
from defaults import default_params

SMALL = {"filters": [4, 8], "head": "average", "dense": [], "architecture": "conv"}


def test_each_kind_of_epoch_is_timed(tmp_path: Path) -> None:
    train = {"epochs": 6, "small_epochs": 3, "small_size": 12, "batch_size": 64}
    params = with_overlay(default_params(), {"model": SMALL, "train": train, "image": {"size": 16}}, "test")
    found = asdict(measure_speed(params, (40, 1.5), 3, tmp_path))
    assert found.pop("tuned") == 0 and found.pop("epoch") >= 0
    assert all(0 < seconds < 60 for seconds in found.values())
