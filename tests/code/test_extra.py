"""The extra that `make env EXTRA=ray` installs: its lock beside that of everything else, and how long it stays."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from import_graph import ROOT

PINNED = re.compile(r"^([\w.-]+==\S+(?: ; .+?)?) \\$", flags=re.MULTILINE)
EXTRA = (ROOT / "requirements-ray.txt").read_text(encoding="utf-8")
REST = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PYTHON = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/log"\n'


def test_the_extra_moves_no_version_and_ray_is_in_no_other_lock() -> None:
    rest = {line.partition(" ;")[0] for line in PINNED.findall(REST)}
    names = {line.partition("==")[0] for line in rest}
    added = {line.partition(" ;")[0] for line in PINNED.findall(EXTRA)} - rest
    assert {line.partition("==")[0] for line in added} & names == set()
    assert any(line.startswith("ray==") for line in added) and "ray" not in names


def test_the_lock_of_the_extra_has_hashes_no_addresses_and_all_that_the_extra_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[>=]", requirement)[0] for requirement in project["optional-dependencies"]["ray"]}
    entries = re.split(r"^(?=\w)", EXTRA, flags=re.MULTILINE)[1:]
    assert wanted <= {entry.partition("==")[0] for entry in entries}
    assert "://" not in EXTRA and all(" --hash=sha256:" in entry for entry in entries)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the real Makefile and bootstrap, whose Python only notes what it is asked to do."""
    (tmp_path / ".ci").mkdir()
    for name in ("Makefile", ".ci/bootstrap"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("requirements.txt", "requirements-ray.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / ".venv" / ".ready").write_text(f"{tmp_path.resolve()}\n")
    return tmp_path


def installed(clone: Path, *words: str) -> str | None:
    """Run `make env`; return the lock files that it installs, None when there is nothing to do."""
    log = clone / ".venv" / "bin" / "log"
    log.write_text("")
    subprocess.run(["make", "env", *words], cwd=clone, check=True, capture_output=True)
    found = re.search(r"--require-hashes (.+)", log.read_text())
    return found and found[1]


def test_the_extra_stays_until_it_is_taken_away(clone: Path) -> None:
    both = "requirements.txt requirements-ray.txt"
    assert installed(clone) is None
    assert installed(clone, "EXTRA=ray") == both
    assert installed(clone) is None and installed(clone, "EXTRA=ray") is None
    (clone / "requirements.txt").write_text("another version\n")
    assert installed(clone) == both
    assert installed(clone, "EXTRA=") == "requirements.txt"
    assert installed(clone) is None


def test_an_extra_without_a_lock_is_refused_with_those_that_have_one(clone: Path) -> None:
    done = subprocess.run(["make", "env", "EXTRA=spark"], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "env: no extra 'spark' is locked here; there is: ray"
