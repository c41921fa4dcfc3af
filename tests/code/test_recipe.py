import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from darkroom.cli.main import main
from darkroom.params.load import flatten, load_params
from pictures import ROOT, inside

RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A folder with the default parameters, whatever a user has made of those of the repository."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    with inside(tmp_path):
        run("recipe", "digits")
        shutil.copy("params.yaml", "default.yaml")
        yield tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*words])
    return int(ended.value.code or 0)


def comments(file: Path) -> list[str]:
    return [line.split("#", 1)[1] for line in file.read_text(encoding="utf-8").splitlines() if "#" in line]


def test_digits_twice_changes_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("recipe", "digits") == 0
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()
    assert "already says all of digits" in capsys.readouterr().out


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_possible_parameters_and_keeps_comments(
    workspace: Path, name: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = workspace / "params.yaml"
    before = flatten(load_params(file))
    capsys.readouterr()
    assert run("recipe", name) == 0
    after = flatten(load_params(file))
    assert comments(file) == comments(workspace / "default.yaml")
    said = capsys.readouterr().out
    for key in [key for key in before if key in after and before[key] != after[key] and "space" not in key]:
        assert f"{key}: {before[key]} -> {after[key]}" in said
    assert run("recipe", name) == 0
    assert "already says" in capsys.readouterr().out


@pytest.mark.parametrize("name", RECIPES)
def test_digits_takes_every_recipe_back(workspace: Path, name: Any) -> None:
    run("recipe", name)
    run("recipe", "digits")
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()


def test_a_recipe_for_other_data_says_so_last(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("recipe", "fast")
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("ingest.source is cifar10.zip: for pictures of your own") and workspace.is_dir()


def test_nothing_of_another_data_sets_choice_stays(workspace: Path) -> None:
    run("recipe", "cifar10-cnn")
    alone = load_params(workspace / "params.yaml")
    run("recipe", "animals-augmented")
    assert load_params(workspace / "params.yaml").balance.method == "undersample"
    run("recipe", "cifar10-cnn")
    assert load_params(workspace / "params.yaml") == alone


def test_a_recipe_leaves_what_groups_the_pictures(workspace: Path) -> None:
    file = workspace / "params.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('group_by: ""', "group_by: '(p\\d+)'"), encoding="utf-8")
    run("recipe", "cifar10-cnn")
    assert load_params(file).dedupe.group_by == r"(p\d+)"


@pytest.mark.parametrize("name", RECIPES)
def test_lists_may_stand_as_dvc_writes_them(workspace: Path, name: Any) -> None:
    file = workspace / "params.yaml"
    text = file.read_text(encoding="utf-8").replace("dense: [128]            #", "dense:                  #", 1)
    text = text.replace("normalisation, dropout\n", "normalisation, dropout\n  - 128\n", 1)
    text = re.sub(r"filters: \[32, 64, 128\]( +#.*\n)", r"filters:\1  - 32\n  - 64\n  - 128\n", text)
    file.write_text(text, encoding="utf-8")
    assert load_params(file) == load_params(workspace / "default.yaml")
    run("recipe", name)
    assert comments(file) == comments(workspace / "default.yaml")
    once = load_params(file)
    shutil.copy(workspace / "default.yaml", file)
    run("recipe", name)
    assert load_params(file) == once


def test_a_key_that_only_a_person_set_stays(workspace: Path) -> None:
    file = workspace / "params.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("experiment: darkroom", "experiment: mine"), encoding="utf-8")
    run("recipe", "cifar10-cnn")
    assert load_params(file).tracking.experiment == "mine"


def test_the_search_space_is_replaced_as_a_whole(workspace: Path) -> None:
    recipe = "# one key\ntune: {space: {train: {batch_size: {choices: [8, 16]}}}}\n"
    (workspace / "recipes" / "small.yaml").write_text(recipe)
    run("recipe", "small")
    assert list(load_params(workspace / "params.yaml").tune.space) == ["train"]
    assert list(load_params(workspace / "params.yaml").tune.space["train"]) == ["batch_size"]


def test_an_impossible_recipe_changes_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "recipes" / "wrong.yaml").write_text("# wrong\ntrain: {epochs: 0}\n")
    assert run("recipe", "wrong") == 2
    assert "recipes/wrong.yaml: train.epochs = 0" in capsys.readouterr().err
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()


def test_an_unknown_recipe_names_the_nearest(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("recipe", "digit") == 2
    assert capsys.readouterr().err == "darkroom recipe: no recipe 'digit'; did you mean digits?\n"
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()


def test_the_list_has_a_line_for_each_recipe(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    capsys.readouterr()
    assert run("recipe") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == RECIPES


def test_params_prints_one_value_or_helps(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("params", "train.epochs") == 0
    assert capsys.readouterr().out == f"{load_params(workspace / 'params.yaml').train.epochs}\n"
    assert run("params", "train.epoch") == 2
    assert "mean train.epochs?" in capsys.readouterr().err
    assert run("params", "tune.space") == 0
    assert YAML(typ="safe").load(capsys.readouterr().out)["tune.space"]["train"]["learning_rate"]["low"] == 0.0005


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_to_type_what_it_wants_and_what_it_reached(name: Any) -> None:
    head = (ROOT / "recipes" / f"{name}.yaml").read_text(encoding="utf-8").split("ingest:")[0]
    assert f"#   darkroom recipe {name} && make repro\n" in head and "\n# Data: " in head
    reached = re.search(
        r"# (One run|\w+ runs) on two cores of an? (?s:.)*\d % of the test split(?s:.)*(minutes|seconds)", head
    )
    assert reached or "# Time and accuracy are not measured: " in head
