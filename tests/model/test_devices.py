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
from darkroom.core.errors import UserError
from darkroom.examples.metrics import score_split
from darkroom.train.checkpoint import Checkpoint
from darkroom.train.fit import fit
from easy import data, small_params, weights_digest

changes, checkpoint = json.loads(sys.argv[1]), Checkpoint(Path(sys.argv[2]))
one, two, three = (small_params(**{**changes, "train": {**changes["train"], "devices": n}}) for n in (1, 2, 3))
alone = fit(data(), one)
fit(data(), two.overlaid({"model": {"filters": [4]}, "train": {"epochs": 1}}, "test"))  # what follows has other shapes
whole = fit(data(), two)

def stop(metrics, epoch):
    if epoch == 2:
        raise InterruptedError

try:
    fit(data(), two, checkpoint=checkpoint, log=stop)
except InterruptedError:
    resumed = fit(data(), two, checkpoint=checkpoint)
try:
    fit(data(), three)
except UserError as error:
    too_many = str(error)
print(json.dumps({
    "one": alone.history["validation_loss"].tolist(),
    "two": whole.history["validation_loss"].tolist(),
    "accuracy": whole.history["validation_accuracy"].iloc[-1],
    "saved": score_split(whole.network, data()["validation"], 16)["log_loss"],
    "same": weights_digest(resumed.network) == weights_digest(whole.network) and resumed.history.equals(whole.history),
    "too many": too_many,
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


@pytest.mark.slow
@pytest.mark.parametrize("changes", [PLAIN, SMALL], ids=["conv", "residual"])
def test_two_devices_share_each_batch_and_learn_the_same(changes: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", TRAINING, json.dumps(changes), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    learnt = json.loads(done.stdout)
    assert learnt["two"] == pytest.approx(learnt["one"], abs=5e-3) and learnt["accuracy"] > 0.9
    assert learnt["saved"] == pytest.approx(learnt["two"][-1], rel=1e-3)  # what was validated is what is saved
    assert learnt["same"]
    assert "train.devices = 3: this machine has 2" in learnt["too many"]
