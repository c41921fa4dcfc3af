"""The frame of a stage, in a workspace of its own, with a real MLflow store."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.core.files import read_value
from darkroom.params.load import load_params
from darkroom.stage import LIBRARIES, Stage
from darkroom.tracking.store import connect
from stage_frame import newest_run, outputs, run, save_both


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
def test_what_dvc_does_not_know_is_refused() -> None:
    for wrong in (lambda stage: stage.read("manifest"), lambda stage: stage.save("history", "")):
        with pytest.raises(KeyError, match=r"dvc.yaml does not name (data/manifest.parquet|models/history.csv)"):
            run(wrong)


def test_a_missing_input_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(lambda stage: stage.read("curated"))
    assert "data/curated.parquet is missing; run the earlier stages" in capsys.readouterr().err


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


def stage_of(root: Path) -> Stage:
    pipeline = {"split": {"deps": ["src"], "params": ["split", "tracking"]}}
    return Stage("split", root, pipeline, load_params(root / "params.yaml"))


def test_what_only_draws_is_not_in_the_code_digest(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.stage.DRAWING", {"src"})
    before = stage_of(workspace).code_digest()
    (workspace / "src" / "code.py").write_text("it draws")
    assert stage_of(workspace).code_digest() == before


def test_the_code_digest_follows_the_code_and_the_libraries(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the folder src: its modules, not what editors leave beside them."""
    stage, source = stage_of(workspace), workspace / "src"
    digests = []
    for text in ("1", "1", "2"):
        (source / "code.py").write_text(text)
        digests.append(stage.code_digest())
    assert digests[0] == digests[1] != digests[2]
    (source / ".ipynb_checkpoints").mkdir()
    for name in (".#code.py", ".code.py.swp", "code.py~", "#code.py#", ".ipynb_checkpoints/code.py"):
        (source / name).write_text("3")
    assert stage.code_digest() == digests[2]
    for changed in LIBRARIES:
        monkeypatch.setattr("darkroom.stage.version", lambda name, changed=changed: "1" if name == changed else "0")
        digests.append(stage.code_digest())
    assert len(set(digests[2:])) == 1 + len(LIBRARIES)


@pytest.mark.parametrize(
    ("section", "value", "changes"),
    [("tracking", {"experiment": "other"}, False), ("split", {"seed": 7}, True)],
)
def test_where_runs_are_recorded_is_no_part_of_a_cache_key(
    workspace: Path, section: str, value: dict[str, Any], changes: bool
) -> None:
    stage = stage_of(workspace)
    other = stage.params.overlaid({section: value}, "params.yaml")
    assert (stage.cache_key(other, "data") != stage.cache_key(stage.params, "data")) == changes
    assert stage.cache_key(other, "data") != stage.cache_key(other, "other data")
