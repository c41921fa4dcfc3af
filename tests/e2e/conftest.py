"""The small finished projects that the tests of whole pipelines share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import Project, reproduced
from server import serving
from warm import warm_programs


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Let Ctrl-C reach the commands: a shell that starts `make test &` in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of commands that start at once, in forks of a Python that has the libraries loaded."""
    with warm_programs(tmp_path_factory.mktemp("warm")) as folder:
        yield folder


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """The small project after its first `dvc repro`."""
    return reproduced(tmp_path_factory.mktemp("first") / "repository", programs)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Another one, made the same way in another place."""
    return reproduced(tmp_path_factory.mktemp("second") / "a longer name for the folder", programs)


@pytest.fixture(scope="session")
def address(project: Project) -> Iterator[str]:
    """The address of the champion's scoring server."""
    with serving(Project(project.root)) as found:
        yield found
