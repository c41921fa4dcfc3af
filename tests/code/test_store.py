"""Where runs are recorded: one place for the repository and for all folders that its experiments run in."""

import shutil
from pathlib import Path

import pytest

from darkroom.execution.logs import configure_logging
from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import connect, experiment_id, redacted, store_error, tracking_uri


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


def test_a_deleted_experiment_comes_back(repository: Path, new_store: Path) -> None:
    shutil.copy(new_store, repository)
    client = connect()
    number = experiment_id(client, "again")
    client.delete_experiment(number)
    assert experiment_id(client, "again") == number
    assert client.get_experiment(number).lifecycle_stage == "active"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://anna:s3cret@host:5000/mlflow", "http://***@host:5000/mlflow"),
        ("postgresql+psycopg2://anna:s3@cret@host/db", "postgresql+psycopg2://***@host/db"),
        ("https://a-token@host", "https://***@host"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:////folder/mlflow.db", "sqlite:////folder/mlflow.db"),
    ],
)
def test_an_address_is_shown_without_its_password(uri: str, shown: str) -> None:
    assert redacted(uri) == shown
    assert redacted(f"cannot connect to {uri}, try again") == f"cannot connect to {shown}, try again"


def test_a_password_in_the_query_is_not_shown() -> None:
    assert redacted("postgresql://host/db?user=u&password=secret") == "postgresql://host/db?user=u&password=***"


def test_an_error_never_repeats_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in pieces of the address, nor decoded."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:s3%2Fcret@127.0.0.1:1")
    for text in ("no host in 'anna:s3%2Fcret'", "the password s3/cret is wrong"):
        message = str(store_error(OSError(text), "releasing the model"))
        assert "cret" not in message and "MLFLOW_TRACKING_URI is http://***@127.0.0.1:1" in message


@pytest.mark.usefixtures("repository")
def test_a_store_that_cannot_be_reached_is_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mssql://anna:s3cret@")  # whose driver nothing here brings
    configure_logging("split")
    with StageRun("split", "darkroom").recording({}):
        pass
    said = capsys.readouterr().err
    assert said.startswith("split: warning: not recorded in MLflow: ") and len(said.splitlines()) == 1
    assert "s3cret" not in said
