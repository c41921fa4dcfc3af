"""Where runs are recorded: one place for the repository and for all folders that its experiments run in."""

from pathlib import Path

import pytest

from darkroom.tracking.store import connect, experiment_id, tracking_uri


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository whose experiment runs in a folder of its own, as under `dvc exp run --temp`."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "repository"))
    temporary = tmp_path / "repository" / ".dvc" / "tmp" / "exps" / "one"
    temporary.mkdir(parents=True)
    (temporary / "dvc.yaml").touch()
    monkeypatch.chdir(temporary)
    return tmp_path / "repository"


@pytest.mark.parametrize(("uri", "file"), [(None, "mlflow.db"), ("sqlite:///other.db", "other.db")])
def test_a_store_beside_the_repository_is_found_from_an_experiments_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, uri: str | None, file: str
) -> None:
    if uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    client = connect()
    assert (repository / file).is_file()
    location = client.get_experiment(experiment_id(client, "my pictures")).artifact_location
    assert location == (repository / "mlruns" / "my_pictures").as_uri()


@pytest.mark.parametrize("uri", ["sqlite:////elsewhere/mlflow.db", "http://127.0.0.1:5000"])
def test_another_address_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert tracking_uri() == uri


def test_a_deleted_experiment_comes_back(repository: Path) -> None:
    assert repository.is_dir()
    client = connect()
    number = experiment_id(client, "again")
    client.delete_experiment(number)
    assert experiment_id(client, "again") == number
    assert client.get_experiment(number).lifecycle_stage == "active"
