"""A stage that is stopped or killed, or whose disk is full, leaves no half of its outputs."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.files import partial_path, write_value
from darkroom.execution.exits import describe_os_error
from darkroom.stage import Stage
from darkroom.tracking.abandoned import PROCESS_TAG, this_process
from darkroom.tracking.store import connect, experiment_id
from stage_frame import newest_run, outputs, run, save_both


def test_a_run_whose_process_was_killed_is_closed_by_the_next(workspace: Path) -> None:
    dead = "from darkroom.tracking.abandoned import this_process; print(this_process())"
    process = subprocess.run([sys.executable, "-c", dead], capture_output=True, text=True, check=True).stdout.strip()
    host, boot, namespace, pid, start = process.split("/")
    client = connect()
    experiment = experiment_id(client, workspace.name)
    owners = {
        "dead": process,
        "its id is another's now": f"{host}/{boot}/{namespace}/{os.getpid()}/1",
        "alive": this_process(),
        "another machine": f"another/{boot}/{namespace}/{pid}/{start}",
        "another kernel": f"{host}/another/{namespace}/{pid}/{start}",
        "another container": f"{host}/{boot}/pid:[1]/{pid}/{start}",
        "not Linux": f"{host}///{pid}/",
        "unknown": "",
    }
    runs = {
        name: client.create_run(experiment, tags={PROCESS_TAG: owner}).info.run_id for name, owner in owners.items()
    }

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "good")
        return {"kept": 1}

    run(work)
    closed = {name for name, number in runs.items() if client.get_run(number).info.status == "KILLED"}
    assert closed == {"dead", "its id is another's now"}
    for number in runs.values():
        client.delete_run(number)


@pytest.mark.parametrize(
    ("stop", "status", "message"),
    [
        (lambda: 1 / 0, ZeroDivisionError, ""),
        (lambda: signal.raise_signal(signal.SIGINT), 130, "split: stopped by Ctrl-C; nothing half-written is left\n"),
        (lambda: signal.raise_signal(signal.SIGTERM), 143, "split: stopped by SIGTERM; nothing half-written is left\n"),
    ],
)
def test_a_fault_and_a_stop_leave_no_half_file(
    workspace: Path, capfd: pytest.CaptureFixture[str], stop: Callable[[], Any], status: Any, message: str
) -> None:
    before = outputs(workspace)

    def work(stage: Stage) -> dict[str, Any]:
        stage.output("best").write_text("hal")
        stop()
        return {}

    with pytest.raises((SystemExit, ZeroDivisionError)) as ended:
        run(work)
    assert ended.type is status or getattr(ended.value, "code", None) == status
    assert outputs(workspace) == before
    assert newest_run().info.status == ("KILLED" if message else "FAILED")
    assert capfd.readouterr().err == message


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_outputs_get_their_names_waits_until_all_have_them(
    workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "MODEL_CARD.md":
            signal.raise_signal(number)
        return rename(self, target)

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, f"signal {number}")
        return {"number": int(number)}

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(SystemExit) as ended:
        run(work)
    assert ended.value.code == 128 + number
    assert capfd.readouterr().err.startswith("split: stopped by ")
    found = outputs(workspace)
    assert len(found) == 3 and all(str(int(number)) in text for text in found.values())


def test_the_next_start_completes_what_a_killed_one_began(workspace: Path) -> None:
    (workspace / "models/tune/best.yaml.partial").write_text("word: whole")
    (workspace / "reports/MODEL_CARD.md").write_text("whole")
    (workspace / "reports/MODEL_CARD.md.old.partial").write_text("before")
    (workspace / "reports/split.commit.partial").touch()
    with pytest.raises(SystemExit):
        run(lambda stage: stage.read("curated"))
    found = outputs(workspace)
    assert found["models/tune/best.yaml"] == "word: whole" and found["reports/MODEL_CARD.md"] == "whole"
    assert not [name for name in found if name.endswith(".partial")]


def test_a_full_disk_is_one_line(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = outputs(workspace)

    def work(stage: Stage) -> dict[str, Any]:
        stage.output("best").symlink_to("/dev/full")
        write_value(partial_path(workspace / "models/tune/best.yaml"), {"word": "x" * 100_000}, ".yaml")
        return {}

    with pytest.raises(SystemExit) as ended:
        run(work)
    assert ended.value.code == 1
    said = capfd.readouterr().err
    assert said.startswith("split: models/tune/best.yaml.partial: No space left on device; free some space")
    assert len(said.splitlines()) == 1
    assert outputs(workspace) == before


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "data: Permission denied; give this user the right to read and write it"),
        (errno.EROFS, "data: Read-only file system; mount it writable, or work in a copy of the repository"),
    ],
)
def test_a_forbidden_write_is_one_line(workspace: Path, number: int, message: str) -> None:
    assert describe_os_error(OSError(number, "", str(workspace / "data"))) == message
