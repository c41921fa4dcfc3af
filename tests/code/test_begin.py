"""The command `darkroom begin` without a training: data only, dry, and what it refuses."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import run
from darkroom.begin.facts import Facts
from darkroom.begin.machine import Machine
from darkroom.begin.speed import Speed
from darkroom.cli import begin_steps
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
    assert [run("begin", path) for path in ("../texts", "../nothing", "s3://pets/cats")] == [2, 2, 2]
    errors = capsys.readouterr().err.splitlines()
    assert "s3://pets/cats is read in place: set ingest.source to it in params.yaml" in errors[2]
    assert len(errors) == 3 and all(line.startswith("darkroom begin: ") for line in errors)
    assert (workspace / "params.yaml").read_bytes() == before


def test_a_network_of_an_earlier_recipe_is_no_obstacle(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []

    def measure(params: Any, *_: Any) -> Speed:
        measured.append(params)
        return Speed(start=5, epoch=0.1, small=0.0002, whole=0.0005, tuned=0.002, answer=0.0002, decode=0.001, python=1)

    monkeypatch.setattr(begin_steps, "measure_speed", measure)
    monkeypatch.setattr(begin_steps, "this_machine", lambda *given: Machine(2, 16_000_000_000, 0, True, *given))
    assert run("recipe", "small") == 0
    assert run("begin", "../shapes") == 0
    after = load_params(workspace / "params.yaml")
    assert measured[-1].model == after.model
    assert measured[-1].train.small_epochs == after.train.small_epochs == 0


def test_models_of_other_pictures_get_a_name_of_their_own_once_one_was_packaged(workspace: Path) -> None:
    def name() -> str:
        return load_params(workspace / "params.yaml").package.name

    assert run("begin", "../shapes", "--data-only") == 0 and name() == "darkroom"
    (workspace / "reports").mkdir()
    (workspace / "reports" / "package.json").touch()
    assert run("begin", "shapes", "--data-only") == 0 and name() == "darkroom"
    shutil.copytree("../shapes", "../my shapes.2")
    assert run("begin", "../my shapes.2", "--data-only") == 0 and name() == "my-shapes-2"
    text = (workspace / "params.yaml").read_text(encoding="utf-8")
    assert "# chosen: my-shapes-2, models of other pictures have a champion of their own" in text
    assert run("begin", "my shapes.2", "--data-only") == 0 and name() == "my-shapes-2"
    assert (workspace / "params.yaml").read_text(encoding="utf-8") == text


def test_what_is_set_as_proposed_is_not_proposed_again(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "data" / "feedback" / "star").mkdir(parents=True)
    (workspace / "data" / "feedback" / "star" / "1.png").touch()
    file = workspace / "params.yaml"
    for value, times in (("true", 1), ("false", 0)):
        file.write_text(file.read_text(encoding="utf-8").replace("feedback: true", f"feedback: {value}"), "utf-8")
        capsys.readouterr()
        assert run("begin", "../shapes", "--data-only") == 0
        assert capsys.readouterr().out.count("pictures of star, no class here") == times


def test_sides_of_one_length_are_named_once() -> None:
    facts = Facts("x", {"a": 9, "b": 9}, {}, (20, 20, 20), 1.0, 0.0, 20)
    assert begin_steps.described(facts) == "18 pictures of 2 classes; shorter side 20 pixels"
