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
