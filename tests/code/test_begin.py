"""The command `darkroom begin` without a training: data only, dry, and what it refuses."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import run
from darkroom.params.load import load_params
from pictures import ROOT, inside
from project import draw_shapes


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "workspace"
    (folder / "data" / "raw").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    draw_shapes(tmp_path / "shapes")
    with inside(folder):
        run("recipe", "digits")
        yield folder


def test_data_only_sets_the_data_and_keeps_the_network(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load_params(workspace / "params.yaml")
    capsys.readouterr()
    assert run("begin", "../shapes", "--data-only") == 0
    after, said = load_params(workspace / "params.yaml"), capsys.readouterr().out
    assert after.ingest.source == "shapes" and (workspace / "data" / "raw" / "shapes" / "circle").is_dir()
    assert (after.train, after.model, after.image) == (before.train, before.model, before.image)
    rows = dict(line.split(maxsplit=1) for line in said.splitlines() if line.startswith(("ingest.", "split.")))
    assert rows["ingest.source"].startswith("shapes") and rows["split.validation"].startswith("0.15")
    assert said.splitlines()[-1].endswith("next: make repro")


def test_a_dry_run_writes_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (workspace / "params.yaml").read_bytes()
    assert run("begin", "../shapes", "--data-only", "--dry-run") == 0
    assert (workspace / "params.yaml").read_bytes() == before and not list((workspace / "data" / "raw").iterdir())
    assert "nothing was written" in capsys.readouterr().out


def test_a_path_without_pictures_is_one_line(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.parent / "texts" / "a").mkdir(parents=True)
    (workspace.parent / "texts" / "a" / "x.txt").write_text("no picture")
    before = (workspace / "params.yaml").read_bytes()
    assert (run("begin", "../texts"), run("begin", "../nothing")) == (2, 2)
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and all(line.startswith("darkroom begin: ") for line in errors)
    assert (workspace / "params.yaml").read_bytes() == before
