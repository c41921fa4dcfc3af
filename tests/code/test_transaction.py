"""Outputs get their names all together, whatever fails in between and whenever the process is killed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.files import prepare_partial
from darkroom.core.transaction import commit, recover

NAMES = ("images", "manifest.parquet", "reports/ingest.json")
RENAMES = 2 * len(NAMES)  # each output: the version before aside, the new one in its place


def outputs(root: Path) -> list[Path]:
    return [root / name for name in NAMES]


def write(root: Path, version: str) -> None:
    for path in outputs(root):
        temporary = prepare_partial(path)
        if path.suffix:
            temporary.write_text(version)
        else:
            temporary.mkdir()
            (temporary / version).write_text(version)


def versions(root: Path) -> list[str]:
    """Return the version of every file, also of one with a temporary name, and the names of the latter."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [path.read_text() for path in files] + [path.name for path in root.rglob("*.partial")]


@contextmanager
def renames_fail(monkeypatch: pytest.MonkeyPatch, first: int, last: int, error: type[BaseException]) -> Iterator[None]:
    """Let the renames from the number `first` to `last`, from 0, raise `error`."""
    rename, calls = Path.rename, iter(range(1000))

    def limited(self: Path, target: Path) -> Any:
        if first <= next(calls) <= last:
            raise error
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", limited)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, "old")
    commit(outputs(tmp_path), tmp_path / "journal")
    assert versions(tmp_path) == ["old"] * 3
    return tmp_path


def test_new_versions_take_the_place_of_old_ones(project: Path) -> None:
    write(project, "new")
    commit(outputs(project), project / "journal")
    assert versions(project) == ["new"] * 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("number", range(RENAMES))
def test_a_failure_renames_everything_back(
    project: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[BaseException]
) -> None:
    write(project, "new")
    with pytest.raises(error), renames_fail(monkeypatch, number, number, error):
        commit(outputs(project), project / "journal")
    recover(outputs(project), project / "journal")
    assert versions(project) == ["old"] * 3


@pytest.mark.parametrize("number", range(1, RENAMES))
def test_the_next_start_completes_what_a_killed_process_began(
    project: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write(project, "new")
    with pytest.raises(SystemError), renames_fail(monkeypatch, number, 1000, SystemError):  # nor can it rename back
        commit(outputs(project), project / "journal")
    for again in (2, 1000):  # killed while it recovers, too
        with suppress(SystemError), renames_fail(monkeypatch, again, again, SystemError):
            recover(outputs(project), project / "journal")
    assert versions(project) == ["new"] * 3


def test_what_a_killed_process_left_unfinished_is_deleted(project: Path) -> None:
    write(project, "half")
    recover(outputs(project), project / "journal")
    assert versions(project) == ["old"] * 3


def test_an_output_that_was_not_written_changes_nothing(project: Path) -> None:
    write(project, "new")
    prepare_partial(outputs(project)[1])
    with pytest.raises(FileNotFoundError, match=r"did not write its output: .*manifest.parquet"):
        commit(outputs(project), project / "journal")
    recover(outputs(project), project / "journal")
    assert versions(project) == ["old"] * 3
