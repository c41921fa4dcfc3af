"""A kill of ingest at any moment leaves nothing half-written, and the next run succeeds."""

import os
import random
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from darkroom.core.files import file_digest
from project import Project, copy_repository

PICTURES = 10_000  # some ten packs: a busy machine may be late to kill what takes a second


def write_noise(archive: Path) -> None:
    chance, file, pixels = random.Random(0), BytesIO(), 8 * 8 * 3
    Image.new("RGB", (8, 8)).save(file, "BMP")
    head = file.getvalue()[:-pixels]
    with zipfile.ZipFile(archive, "w") as target:
        for number in range(PICTURES):
            target.writestr(f"{number % 2}/{number}.bmp", head + chance.randbytes(pixels))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Return a repository in which nothing has run yet; what runs in it can be killed."""
    made = copy_repository(tmp_path_factory.mktemp("killed") / "repository", programs)
    (made.root / "data" / "raw").mkdir(parents=True, exist_ok=True)
    write_noise(made.root / "data" / "raw" / "noise.zip")
    made.run("darkroom", "recipe", "digits")
    made.set({"ingest.source": "noise.zip"})
    made.commit()
    return Project(made.root)


def packs(root: Path) -> list[Path]:
    return list((root / ".cache" / "packs").glob("*/*.facts"))


def without_packs(project: Project) -> None:
    """Forget what stopped runs have finished."""
    shutil.rmtree(project.root / ".cache" / "packs", ignore_errors=True)


def unfinished(project: Project) -> list[Path]:
    """Return what has a temporary name where the outputs are."""
    return [file for folder in ("data", "reports") for file in (project.root / folder).rglob("*.partial")]


def after(number: int) -> Callable[[Path, float], bool]:
    return lambda root, _: len(packs(root)) >= number


def at(seconds: float) -> Callable[[Path, float], bool]:
    return lambda _, passed: passed >= seconds


def kill(project: Project, whole_group: bool, moment: Callable[[Path, float], bool]) -> int:
    """Run ingest and kill it, alone or with DVC and its workers, at a moment; return how it ended."""
    without_packs(project)
    command = ["dvc", "repro", "ingest"] if whole_group else ["python", "pipeline/ingest.py"]
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=project.root,
        env=project.env(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not moment(project.root, time.monotonic() - start):
        time.sleep(0.002)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
    status = process.wait()
    locks = project.root / ".dvc" / "tmp" / "rwlock"
    if locks.exists() and not locks.read_bytes():  # DVC's own, which it writes in place: docs/reference.md
        locks.unlink()
    return status


@pytest.mark.parametrize(
    ("packed", "number", "name"),
    [
        pytest.param(0, signal.SIGINT, "Ctrl-C", marks=pytest.mark.slow),
        (1, signal.SIGINT, "Ctrl-C"),
        (1, signal.SIGTERM, "SIGTERM"),
    ],
)
def test_a_stop_is_answered_in_one_line(repository: Project, packed: int, number: int, name: str) -> None:
    """All processes of the group get the signal, as from a terminal, Slurm or Kubernetes."""
    without_packs(repository)
    process = subprocess.Popen(
        ["python", "pipeline/ingest.py"],
        cwd=repository.root,
        env=repository.env(),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder = repository.root / "data" / "images.partial"
    while process.poll() is None and not (folder.exists() and len(packs(repository.root)) >= packed):
        time.sleep(0.002)
    os.killpg(process.pid, number)
    said = process.communicate()[1]
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == f"ingest: stopped by {name}; nothing half-written is left"
    assert "Traceback" not in said
    assert outputs(repository.root) == {}
    assert not unfinished(repository)


def outputs(root: Path) -> dict[str, str]:
    named = [
        root / "data" / "manifest.parquet",
        root / "reports" / "ingest.json",
        *(root / "data" / "images").glob("*"),
    ]
    return {file.relative_to(root).as_posix(): file_digest(file) for file in named if file.exists()}


MOMENTS = {**{f"{number} packs": after(number) for number in (1, 2, 3)}, "0.7 s": at(0.7), "1.6 s": at(1.6)}
QUICK = ("1 packs", "1.6 s")


@pytest.mark.parametrize("whole_group", [False, True], ids=["stage", "dvc"])
@pytest.mark.parametrize(
    "moment", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in MOMENTS]
)
def test_a_killed_ingest_leaves_nothing_that_has_its_name(repository: Project, whole_group: bool, moment: str) -> None:
    assert kill(repository, whole_group, MOMENTS[moment]) == -signal.SIGKILL
    assert outputs(repository.root) == {}


@pytest.mark.slow
def test_the_next_run_succeeds_and_a_kill_after_it_leaves_its_outputs(repository: Project) -> None:
    assert kill(repository, False, after(2)) == -signal.SIGKILL
    repository.run("dvc", "repro", "ingest")
    first = outputs(repository.root)
    assert len(first) >= 2 + 4
    assert not unfinished(repository)
    assert kill(repository, False, after(2)) == -signal.SIGKILL
    assert outputs(repository.root) == first
    repository.run("dvc", "repro", "--force", "ingest")
    assert outputs(repository.root) == first
    assert not unfinished(repository)
