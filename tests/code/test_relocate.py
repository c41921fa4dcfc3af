"""A repository with a real MLflow store is moved; its artefacts are found again."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts

from darkroom.tracking.relocate import COLUMNS, find_moved, mend_moved
from darkroom.tracking.store import connect, experiment_id, tracking_uri
from pictures import inside


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an experiment, a run with an artefact, a logged model and a registered version."""
    root = tmp_path_factory.mktemp("first place") / "mlruns project"  # a name with the folder's own name in it
    root.mkdir()
    with inside(root):
        client = connect()
        experiment = experiment_id(client, "pictures")
        run = client.create_run(experiment).info.run_id
        client.log_text(run, "it is me", "note.txt")
        model = client.create_logged_model(experiment, name="model", source_run_id=run)
        client.create_registered_model("classifier")
        client.create_model_version("classifier", model.artifact_location, run, model_id=model.model_id)
        bucket = client.create_experiment("bucket", artifact_location="s3://bucket/mlruns/0")
        client.create_run(bucket)
    return root


@pytest.fixture
def moved(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "other place"))


def locations(root: Path) -> list[str]:
    with closing(sqlite3.connect(root / "mlflow.db")) as store:
        return [row[0] for table, column in COLUMNS for row in store.execute(f"SELECT {column} FROM {table}")]


def test_nothing_has_moved_where_it_was_made(original: Path) -> None:
    before = locations(original)
    assert find_moved(original / "mlflow.db", original) == 0
    mend_moved(original / "mlflow.db", original)
    assert locations(original) == before


def test_a_moved_repository_finds_its_artefacts_again(moved: Path, original: Path) -> None:
    places = find_moved(moved / "mlflow.db", moved)
    assert places >= 4  # one at least for each column
    mend_moved(moved / "mlflow.db", moved)
    assert find_moved(moved / "mlflow.db", moved) == 0
    shutil.move(original / "mlruns", moved / "kept")  # so that nothing can be read from the first place
    try:
        with inside(moved):
            client = connect()
            run = client.search_runs([experiment_id(client, "pictures")])[0].info.run_id
            file = download_artifacts(run_id=run, artifact_path="note.txt", tracking_uri=tracking_uri())
        assert Path(file).read_text() == "it is me"
    finally:
        shutil.move(moved / "kept", original / "mlruns")


def test_every_local_place_is_mended_and_a_bucket_is_left(moved: Path) -> None:
    mend_moved(moved / "mlflow.db", moved)
    inside_mlruns = [place for place in locations(moved) if "mlruns/" in place]
    assert {place for place in inside_mlruns if not place.startswith((moved / "mlruns").as_uri())} == {
        "s3://bucket/mlruns/0",
        *(place for place in inside_mlruns if place.startswith("s3://bucket/mlruns/0/")),
    }


def test_mending_twice_changes_nothing(moved: Path) -> None:
    mend_moved(moved / "mlflow.db", moved)
    once = locations(moved)
    mend_moved(moved / "mlflow.db", moved)
    assert locations(moved) == once
