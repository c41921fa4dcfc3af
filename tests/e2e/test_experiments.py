"""One row for each pipeline run, however it is run. The tests build on each other, in their order."""

import json
import shutil
import time
from pathlib import Path

import pytest
from mlflow.entities import Run

from project import Project

QUICK = ["-S", "tune.enabled=false", "-S", "train.epochs=1"]


def names(stages: list[Run]) -> list[str]:
    return sorted(run.info.run_name for run in stages)


def newest(project: Project, known: set[str]) -> dict[str, list[Run]]:
    return {row: stages for row, stages in project.rows().items() if row not in known}


def test_a_partial_rerun_adds_a_row_with_the_cached_stages_too(second: Project) -> None:
    known = set(second.rows())
    second.set({"train.learning_rate": 0.005, "train.epochs": 1, "tune.enabled": False, "package.runtime": "keras"})
    second.run("dvc", "repro")
    ((row, stages),) = newest(second, known).items()
    cached = ["dedupe (cached)", "ingest (cached)", "split (cached)", "validate (cached)"]
    assert names(stages) == sorted([*cached, "evaluate", "package", "train", "tune"])
    (copy,) = [run for run in stages if run.info.run_name == "ingest (cached)"]
    assert copy.data.metrics["pictures"] == 75
    assert second.client().get_run(row).data.metrics["train_accuracy"] > 0


def test_going_back_finds_the_earlier_row(second: Project) -> None:
    before = {row: names(stages) for row, stages in second.rows().items()}
    report = (second.root / "reports" / "package.json").read_text()
    second.run("git", "checkout", "--quiet", "params.yaml")
    second.run("dvc", "repro")
    assert {row: names(stages) for row, stages in second.rows().items()} == before
    assert json.loads((second.root / "reports" / "package.json").read_text())["reasons"] == ["it is the first"]
    assert report != (second.root / "reports" / "package.json").read_text()
    assert second.run("git", "status", "--short").stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("place", ["workspace", "temp"])
def test_an_experiment_adds_a_row_with_its_name(second: Project, place: str) -> None:
    known = set(second.rows())
    rate = {"workspace": "0.006", "temp": "0.007"}[place]
    options = ["--temp"] if place == "temp" else []
    second.run("dvc", "exp", "run", *options, "--name", f"try-{place}", *QUICK, "-S", f"train.learning_rate={rate}")
    ((row, stages),) = newest(second, known).items()
    run = second.client().get_run(row)
    assert (run.info.run_name, run.data.params["train.learning_rate"]) == (f"try-{place}", rate)
    assert len(stages) == 8
    assert not list(Path(second.root, ".dvc", "tmp").rglob("mlflow.db"))
    second.run("git", "checkout", "--quiet", ".")


@pytest.mark.slow
def test_three_queued_experiments_in_parallel_add_three_rows(second: Project) -> None:
    known = set(second.rows())
    for rate in ("0.0015", "0.002", "0.003"):
        second.run("dvc", "exp", "run", "--queue", *QUICK, "-S", f"train.learning_rate={rate}")
    second.run("dvc", "queue", "start", "--jobs", "3")
    for _ in range(450):
        if not {"Queued", "Running"} & set(second.run("dvc", "queue", "status").stdout.split()):
            break
        time.sleep(2)
    added = newest(second, known)
    assert len(added) == 3, second.run("dvc", "queue", "status").stdout
    assert [len(stages) for stages in added.values()] == [8, 8, 8]
    rates = {second.client().get_run(row).data.params["train.learning_rate"] for row in added}
    assert rates == {"0.0015", "0.002", "0.003"}


@pytest.mark.slow
def test_every_version_has_its_own_content_and_one_is_champion(second: Project) -> None:
    versions = second.client().search_model_versions("name='darkroom'")
    contents = [version.tags["darkroom.content"] for version in versions]
    assert len(set(contents)) == len(contents) == len(second.rows())
    assert all(version.tags["darkroom.gate.reasons"] for version in versions)
    champion = second.client().get_model_version_by_alias("darkroom", "champion")
    assert champion.tags["darkroom.gate.released"] == "true" and champion.description


def test_a_fresh_clone_with_pulled_outputs_has_its_row_and_its_champion(
    second: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("clone")
    second.run("dvc", "remote", "add", "--default", "storage", str(folder / "storage"))
    second.run("dvc", "push", "--quiet")
    second.commit()
    second.run("git", "clone", "--quiet", str(second.root), str(folder / "clone"))
    clone = Project(folder / "clone", second.programs)
    clone.run("dvc", "pull", "--quiet", "--allow-missing")
    ran = clone.run("dvc", "repro").stdout
    assert "Running stage 'package'" in ran
    assert "Running stage 'train'" not in ran
    ((_, stages),) = clone.rows().items()
    assert len(stages) == 8
    assert clone.client().get_model_version_by_alias("darkroom", "champion").version in (1, "1")
    shutil.rmtree(folder / "storage")
