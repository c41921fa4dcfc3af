"""The frame of a stage, in a workspace of its own, with a real MLflow store."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.core.files import partial_path, read_value, write_value
from darkroom.execution.exits import describe_os_error
from darkroom.params.load import load_params
from darkroom.stage import LIBRARIES, Stage
from darkroom.tracking.abandoned import PROCESS_TAG, this_process
from darkroom.tracking.store import connect
from pictures import inside
from stage_frame import fill_workspace, newest_run, outputs, run, save_both


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, new_store: Path) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("workspace")
    fill_workspace(root)
    shutil.copy(new_store, root)
    with inside(root):
        yield root


def test_outputs_report_and_run_are_there(workspace: Path) -> None:
    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "good")
        assert not (workspace / "reports" / "MODEL_CARD.md").exists()
        return {"kept": 3, "test": {"share": 1 / 3}, "per_class": {"c++": 3}}

    run(work)
    assert outputs(workspace).keys() == {"models/tune/best.yaml", "reports/MODEL_CARD.md", "reports/split.json"}
    assert read_value(workspace / "reports" / "split.json") == {
        "kept": 3,
        "test": {"share": 0.333333},
        "per_class": {"c++": 3},
    }
    recorded = newest_run()
    assert recorded.info.status == "FINISHED" and recorded.data.tags["darkroom.stage"] == "split"
    assert recorded.data.metrics == {"kept": 3, "test/share": 0.333333}  # no name that comes from the data
    assert recorded.data.params["split.test"] == str(load_params(workspace / "params.yaml").split.test)
    assert {file.path for file in connect().list_artifacts(recorded.info.run_id)} >= {"split.json", "MODEL_CARD.md"}


def test_a_refusal_fails_the_stage_after_all_is_written(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "refused")
        stage.refusal = "it is not released"
        return {"kept": 2}

    with pytest.raises(SystemExit) as ended:
        run(work)
    assert ended.value.code == 1 and "split: it is not released\n" in capsys.readouterr().err
    assert read_value(workspace / "reports" / "split.json") == {"kept": 2}
    assert newest_run().info.status == "FINISHED"


@pytest.mark.usefixtures("workspace")
def test_doing_it_again_adds_no_run() -> None:
    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "good")
        return {"kept": 7}

    run(work)
    first = newest_run().info.run_id
    run(work)
    assert newest_run().info.run_id == first


@pytest.mark.parametrize("fails", [False, True])
def test_resources_are_released_when_the_outputs_have_their_names(workspace: Path, fails: bool) -> None:
    """A checkpoint deleted before them would be lost with them."""
    seen = []

    @contextmanager
    def holding() -> Iterator[None]:
        yield
        seen.append(outputs(workspace)["reports/MODEL_CARD.md"])  # only where the stage succeeds

    def work(stage: Stage) -> dict[str, Any]:
        stage.resources.enter_context(holding())
        save_both(stage, "newer")
        if fails:
            raise UserError("no")
        return {"kept": 8}

    with pytest.raises(SystemExit) if fails else nullcontext():
        run(work)
    assert seen == ([] if fails else ["newer"])


@pytest.mark.parametrize("status", [1, 2])
def test_a_mistake_is_one_line_and_leaves_what_was_there(
    workspace: Path, capfd: pytest.CaptureFixture[str], status: Any
) -> None:
    before = outputs(workspace)

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "bad")
        raise UserError("the pictures are upside down; turn them", status)

    with pytest.raises(SystemExit) as ended:
        run(work)
    assert ended.value.code == status
    assert capfd.readouterr().err == "split: the pictures are upside down; turn them\n"
    assert outputs(workspace) == before
    assert newest_run().info.status == "FAILED"
    assert "upside down" in newest_run().data.tags["darkroom.error"]


@pytest.mark.usefixtures("workspace")
def test_a_run_whose_process_was_killed_is_closed_by_the_next() -> None:
    dead = "from darkroom.tracking.abandoned import this_process; print(this_process())"
    process = subprocess.run([sys.executable, "-c", dead], capture_output=True, text=True, check=True).stdout.strip()
    host, boot, namespace, pid, start = process.split("/")
    client = connect()
    experiment = newest_run().info.experiment_id
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


@pytest.mark.usefixtures("workspace")
def test_what_dvc_does_not_know_is_refused() -> None:
    for wrong in (lambda stage: stage.read("manifest"), lambda stage: stage.save("history", "")):
        with pytest.raises(KeyError, match=r"dvc.yaml does not name (data/manifest.parquet|models/history.csv)"):
            run(wrong)


def test_a_missing_input_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(lambda stage: stage.read("curated"))
    assert "data/curated.parquet is missing; run the earlier stages" in capsys.readouterr().err


def test_what_only_draws_is_not_in_the_code_digest(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.stage.DRAWING", {"src"})
    seen = []

    def work(stage: Stage) -> dict[str, Any]:
        seen.append(stage.code_digest())
        return {}

    for text in ("1", "2"):
        (workspace / "src" / "code.py").write_text(text)
        with pytest.raises(FileNotFoundError):  # its outputs
            run(work)
    assert seen[0] == seen[1]


def test_the_code_digest_follows_the_code_and_the_libraries(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the folder src: its modules, not what editors leave beside them."""
    seen = []

    def work(stage: Stage) -> dict[str, Any]:
        seen.append(stage.code_digest())
        raise UserError("that is all")

    for text in ("1", "1", "2"):
        (workspace / "src" / "code.py").write_text(text)
        with pytest.raises(SystemExit):
            run(work)
    assert seen[0] == seen[1] != seen[2]
    (workspace / "src" / ".ipynb_checkpoints").mkdir()
    for name in (".#code.py", ".code.py.swp", "code.py~", "#code.py#", ".ipynb_checkpoints/code.py"):
        (workspace / "src" / name).write_text("3")
    with pytest.raises(SystemExit):
        run(work)
    assert seen[3] == seen[2]
    for changed in LIBRARIES:
        monkeypatch.setattr("darkroom.stage.version", lambda name, changed=changed: "1" if name == changed else "0")
        with pytest.raises(SystemExit):
            run(work)
    assert len(set(seen[3:])) == 1 + len(LIBRARIES)


@pytest.mark.parametrize(
    ("section", "value", "changes"),
    [("tracking", {"experiment": "other"}, False), ("split", {"seed": 7}, True)],
)
def test_where_runs_are_recorded_is_no_part_of_a_cache_key(
    workspace: Path, section: str, value: dict[str, Any], changes: bool
) -> None:
    stage = Stage(
        "split", workspace, {"split": {"params": ["split", "tracking"]}}, load_params(workspace / "params.yaml")
    )
    other = stage.params.overlaid({section: value}, "params.yaml")
    assert (stage.cache_key(other, "data") != stage.cache_key(stage.params, "data")) == changes
    assert stage.cache_key(other, "data") != stage.cache_key(other, "other data")


def test_a_store_that_fails_is_said_and_stops_nothing(
    workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'params.yaml' / 'mlflow.db'}")

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "unrecorded")
        return {"kept": 4}

    run(work)
    assert "split: warning: not recorded in MLflow: " in capfd.readouterr().err
    assert read_value(workspace / "reports" / "split.json") == {"kept": 4}
