"""A store for the tests of registered versions."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory, new_store: Path) -> str:
    return f"sqlite:///{shutil.copy(new_store, tmp_path_factory.mktemp('registry'))}"


@pytest.fixture
def uri(empty_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the store, which is also that of the commands."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", empty_store)
    yield empty_store


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return MlflowClient(uri, uri)


@pytest.fixture(scope="module")
def workspace(empty_store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the stage `split` can run, which is also the working directory."""
    from pictures import inside
    from stage_frame import fill_workspace

    root = tmp_path_factory.mktemp("workspace")
    fill_workspace(root)
    with inside(root), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", empty_store)
        yield root
