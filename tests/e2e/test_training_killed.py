"""A kill of train at any epoch, or Ctrl-C: the next run goes on, to the same weights."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from project import Project, make_small_project

EPOCHS = 12
TRAIN = ["dvc", "repro", "--force", "--single-item", "train"]  # else DVC takes the result from its cache


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a small project in which all is done but the training."""
    made = make_small_project(tmp_path_factory.mktemp("training") / "repository")
    made.set({"train.epochs": EPOCHS, "train.patience": 0, "train.keep": "last", "tune.enabled": False})
    made.commit()
    made.run("dvc", "repro", "tune")
    return made


def finished_epochs(root: Path) -> int:
    """Return the epochs of the training that is not finished."""
    files = list((root / ".cache" / "train").glob("*/network1/last.npz"))
    files = [file for file in files if not (file.parents[1] / "finished").exists()]
    if not files:
        return 0
    with np.load(files[0]) as saved:
        return len(json.loads(str(saved["facts"]))["rows"])


def stop(project: Project, epoch: int, how: signal.Signals) -> tuple[int, str]:
    """Start the training and stop it, with all its processes, when `epoch` is done; return how it ended."""
    shutil.rmtree(project.root / ".cache" / "train", ignore_errors=True)  # a finished one would be restored
    command = ["python", "pipeline/train.py"] if how == signal.SIGINT else TRAIN
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=project.root, env=project.env(), start_new_session=True, **options)
    while process.poll() is None and finished_epochs(project.root) < epoch:
        time.sleep(0.001)
    os.killpg(process.pid, how)
    return process.wait(), process.stderr.read()


def trained(project: Project) -> dict[str, object]:
    project.run(*TRAIN)
    return json.loads((project.root / "reports" / "train.json").read_text())


@pytest.mark.parametrize("epoch", [1, EPOCHS // 2])
def test_a_killed_training_goes_on_to_the_same_weights(ready: Project, epoch: int) -> None:
    whole = trained(ready)
    assert finished_epochs(ready.root) == 0
    assert stop(ready, epoch, signal.SIGKILL)[0] == -signal.SIGKILL
    assert EPOCHS > finished_epochs(ready.root) >= epoch
    done = ready.run(*TRAIN)
    assert f"Epoch {epoch}/{EPOCHS}" not in done.stdout  # finished before, not trained again
    assert f"Epoch {EPOCHS}/{EPOCHS}" in done.stdout
    assert json.loads((ready.root / "reports" / "train.json").read_text()) == whole


def test_ctrl_c_leaves_what_the_next_run_goes_on_from(ready: Project) -> None:
    whole = trained(ready)
    status, said = stop(ready, 3, signal.SIGINT)
    assert (status, said.splitlines()[-1]) == (130, "train: stopped by Ctrl-C; nothing half-written is left")
    assert "Traceback" not in said
    assert not list(ready.root.rglob("*.partial")) and finished_epochs(ready.root) >= 3
    done = ready.run(*TRAIN)
    assert f"Epoch 3/{EPOCHS}" not in done.stdout
    assert json.loads((ready.root / "reports" / "train.json").read_text()) == whole
