"""The small finished project that the tests of whole pipelines share."""

import signal

import pytest
from project import Project, reproduced


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Let Ctrl-C reach the commands: what a shell starts behind its back (`make test &`) would pass it over."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the small project after its first `dvc repro`."""
    return reproduced(tmp_path_factory.mktemp("first") / "repository")


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return another one, made the same way in another place."""
    return reproduced(tmp_path_factory.mktemp("second") / "a longer name for the folder")
