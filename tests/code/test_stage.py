"""The frame of a stage, in a workspace of its own, with a real MLflow store."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.core.files import read_value
from darkroom.params.load import load_params
from darkroom.stage import Stage
from darkroom.tracking.abandoned import PROCESS_TAG, this_process
from darkroom.tracking.store import connect
from pictures import inside
from stage_frame import fill_workspace, newest_run, outputs, run, save_both


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("workspace")
    fill_workspace(root)
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
def test_what_is_held_is_let_go_when_the_outputs_have_their_names(workspace: Path, fails: bool) -> None:
    """A checkpoint that went before them would be lost with them."""
    seen = []

    @contextmanager
    def holding() -> Iterator[None]:
        yield
        seen.append(outputs(workspace)["reports/MODEL_CARD.md"])  # only where the stage succeeds

    def work(stage: Stage) -> dict[str, Any]:
        stage.held.enter_context(holding())
        save_both(stage, "newer")
        if fails:
            raise UserError("no")
        return {"kept": 8}

    with pytest.raises(SystemExit) if fails else nullcontext():
        run(work)
    assert seen == ([] if fails else ["newer"])


@pytest.mark.parametrize("status", [1, 2])
def test_a_mistake_is_one_line_and_leaves_what_was_there(
    workspace: Path, capfd: pytest.CaptureFixture[str], status: int
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
    dead = "import os; from darkroom.tracking.abandoned import this_process; print(this_process())"
    process = subprocess.run([sys.executable, "-c", dead], capture_output=True, text=True, check=True).stdout.strip()
    client = connect()
    experiment = newest_run().info.experiment_id
    owners = {"dead": process, "alive": this_process(), "elsewhere": "another-machine/1", "unknown": ""}
    runs = {
        name: client.create_run(experiment, tags={PROCESS_TAG: owner}).info.run_id for name, owner in owners.items()
    }

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "good")
        return {"kept": 1}

    run(work)
    after = {name: client.get_run(number).info.status for name, number in runs.items()}
    assert after == {"dead": "KILLED", "alive": "RUNNING", "elsewhere": "RUNNING", "unknown": "RUNNING"}
    for number in runs.values():
        client.delete_run(number)


def test_a_fault_and_a_stop_leave_no_half_file(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = outputs(workspace)
    for error, recorded in ((ZeroDivisionError, "FAILED"), (KeyboardInterrupt, "KILLED")):

        def work(stage: Stage, error: type[BaseException] = error) -> dict[str, Any]:
            stage.output("best").write_text("hal")
            raise error

        with pytest.raises(SystemExit if error is KeyboardInterrupt else error):
            run(work)
        assert outputs(workspace) == before
        assert newest_run().info.status == recorded
    assert "nothing half-written" in capfd.readouterr().err


@pytest.mark.usefixtures("workspace")
def test_what_dvc_does_not_know_is_refused() -> None:
    for wrong in (lambda stage: stage.read("manifest"), lambda stage: stage.save("history", "")):
        with pytest.raises(KeyError, match=r"dvc.yaml does not name (data/manifest.parquet|models/history.csv)"):
            run(wrong)


def test_an_input_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(lambda stage: stage.read("curated"))
    assert "data/curated.parquet is missing; run the stages before" in capsys.readouterr().err


def test_the_code_digest_follows_the_code_and_the_libraries(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def work(stage: Stage) -> dict[str, Any]:
        seen.append(stage.code_digest())
        raise UserError("that is all")

    for text in ("1", "1", "2"):
        (workspace / "src" / "code.py").write_text(text)
        with pytest.raises(SystemExit):
            run(work)
    assert seen[0] == seen[1] != seen[2]
    monkeypatch.setattr("darkroom.stage.version", lambda name: "1.0" if name == "keras" else version(name))
    with pytest.raises(SystemExit):
        run(work)
    assert seen[3] != seen[2]


def test_a_store_that_fails_is_said_and_stops_nothing(
    workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'params.yaml' / 'mlflow.db'}")

    def work(stage: Stage) -> dict[str, Any]:
        save_both(stage, "unrecorded")
        return {"kept": 4}

    run(work)
    assert "split: not recorded in MLflow: " in capfd.readouterr().err
    assert read_value(workspace / "reports" / "split.json") == {"kept": 4}
