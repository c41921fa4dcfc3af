"""Several devices of one machine: here two logical ones of its processor."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pictures import ROOT

TRAINING = """
import json, sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from darkroom.examples.runtime import start_tensorflow
start_tensorflow(2)
from darkroom.examples.metrics import score_split
from darkroom.train.checkpoint import Checkpoint
from darkroom.train.fit import fit
from easy import data, small_params, weights_digest

params, checkpoint = small_params(**json.loads(sys.argv[1])), Checkpoint(Path(sys.argv[2]))
fit(data(), params.overlaid({"model": {"filters": [4]}}, "test"))  # what follows has other shapes
whole = fit(data(), params)

def stop(metrics, epoch):
    if epoch == 2:
        raise InterruptedError

try:
    fit(data(), params, checkpoint=checkpoint, log=stop)
except InterruptedError:
    resumed = fit(data(), params, checkpoint=checkpoint)
print(json.dumps({
    "losses": whole.history["validation_loss"].tolist(),
    "accuracy": whole.history["validation_accuracy"].iloc[-1],
    "saved": score_split(whole.network, data()["validation"], 16)["log_loss"],
    "same": weights_digest(resumed.network) == weights_digest(whole.network) and resumed.history.equals(whole.history),
}))
"""
PLAIN: dict[str, dict[str, Any]] = {
    "train": {"optimizer": "sgd", "keep": "last"},
    "model": {"filters": [3, 5], "norm": "before_pool", "dense_norm": True, "dropout": 0.0},
}
SMALL: dict[str, dict[str, Any]] = {
    "train": {"optimizer": "muon", "momentum": 0.6, "ema": 0.9, "keep": "last"},
    "model": {"architecture": "residual", "filters": [8], "depth": 3, "head": "average", "dense": []},
}


def train(devices: int, changes: dict[str, dict[str, Any]], folder: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
    chosen = json.dumps({**changes, "train": {**changes["train"], "devices": devices}})
    command = [sys.executable, "-c", TRAINING, chosen, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("changes", [PLAIN, SMALL], ids=["conv", "residual"])
def test_two_devices_share_each_batch_and_learn_the_same(changes: Any, tmp_path: Path) -> None:
    one, two = (json.loads(train(count, changes, tmp_path / str(count)).stdout) for count in (1, 2))
    assert two["losses"] == pytest.approx(one["losses"], abs=5e-3) and two["accuracy"] > 0.9
    assert two["saved"] == pytest.approx(two["losses"][-1], rel=1e-3)  # what was validated is what is saved
    assert one["same"] and two["same"]


def test_more_devices_than_there_are_is_said(tmp_path: Path) -> None:
    assert "train.devices = 3: this machine has 2" in train(3, PLAIN, tmp_path).stderr
