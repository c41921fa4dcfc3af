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

pytestmark = pytest.mark.slow  # tests/model/test_resume.py resumes in one process
EPOCHS = 12
TRAIN = ["dvc", "repro", "--force", "--single-item", "train"]  # else DVC takes the result from its cache


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Return a small project in which all is done but the training."""
    made = make_small_project(tmp_path_factory.mktemp("training") / "repository", programs)
    made.set({"train.epochs": EPOCHS, "train.patience": 0, "train.keep": "last", "tune.enabled": False})
    made.commit()
    made.run("dvc", "repro", "tune")
    return made


@pytest.fixture(scope="module")
def whole(ready: Project) -> dict[str, object]:
    """Return the report of a training that nothing stopped."""
    ready.run(*TRAIN)
    assert finished_epochs(ready.root) == 0
    return report(ready)


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
    process = subprocess.Popen(
        command, cwd=project.root, env=Project(project.root).env(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and finished_epochs(project.root) < epoch:
        time.sleep(0.001)
    os.killpg(process.pid, how)
    return process.wait(), process.communicate()[1]


def report(project: Project) -> dict[str, object]:
    read: dict[str, object] = json.loads((project.root / "reports" / "train.json").read_text())
    return read


@pytest.mark.parametrize("epoch", [1, EPOCHS // 2])
def test_a_killed_training_goes_on_to_the_same_weights(ready: Project, whole: dict[str, object], epoch: int) -> None:
    assert stop(ready, epoch, signal.SIGKILL)[0] == -signal.SIGKILL
    assert EPOCHS > finished_epochs(ready.root) >= epoch
    done = ready.run(*TRAIN)
    assert f"Epoch {epoch}/{EPOCHS}" not in done.stdout  # finished before, not trained again
    assert f"Epoch {EPOCHS}/{EPOCHS}" in done.stdout
    assert report(ready) == whole


def test_ctrl_c_leaves_what_the_next_run_goes_on_from(ready: Project, whole: dict[str, object]) -> None:
    status, said = stop(ready, 3, signal.SIGINT)
    assert (status, said.splitlines()[-1]) == (130, "train: stopped by Ctrl-C; nothing half-written is left")
    assert "Traceback" not in said
    assert not list(ready.root.rglob("*.partial")) and finished_epochs(ready.root) >= 3
    done = ready.run(*TRAIN)
    assert f"Epoch 3/{EPOCHS}" not in done.stdout
    assert report(ready) == whole
