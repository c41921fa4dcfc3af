import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from commands import run
from darkroom.cli.recipe import DATA
from darkroom.params.commented_yaml import dump_document, overlay, parse_document
from darkroom.params.editing import edit_params
from darkroom.params.load import flatten, load_params, read_yaml
from darkroom.params.recipes import NETWORK, recipe_files
from pictures import ROOT, inside

FILES = recipe_files(ROOT)
RECIPES = list(FILES)
USUAL = [name for name in ("photos", "photos-scratch", "small", "small-strong", "tiny", "digits") if name in FILES]
MEASURED = [name for name in RECIPES if name != "digits"]  # those that name the data of a result
VARIED = ["animals-augmented", "animals-densenet121", "binary-tuned", "cifar10-cnn", "small"]  # every kind of value
MINE = {
    "source: digits": "source: pets",
    "validation: 0.15": "validation: 0.25",
    "method: none": "method: class_weight",
}
MINE |= {"shape: any": "shape: square", "background: white": "background: black", "labels: {}": "labels: {cane: dog}"}
MINE |= {'group_by: ""': "group_by: '(p\\d+)'", "experiment: darkroom": "experiment: mine"}


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the default parameters, whatever a user has made of those of the repository."""
    folder = tmp_path_factory.mktemp("defaults")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    with inside(folder):
        run("recipe", "digits")
    shutil.copy(folder / "params.yaml", folder / "default.yaml")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, defaults: Path) -> Iterator[Path]:
    folder = shutil.copytree(defaults, tmp_path / "workspace")
    with inside(folder):
        yield folder


def apply(name: str) -> int:
    """Apply a recipe with the data that it names."""
    return run("recipe", name, *(["--data"] if name in MEASURED else []))


def edit(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert f" {old}" in text
        text = text.replace(f" {old}", f" {new}", 1)
    file.write_text(text, encoding="utf-8")


def comments(file: Path) -> list[str]:
    return [line.split("#", 1)[1] for line in file.read_text(encoding="utf-8").splitlines() if "#" in line]


def test_digits_twice_changes_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("recipe", "digits") == 0
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()
    assert "already has all settings of digits" in capsys.readouterr().out


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_possible_parameters_and_keeps_comments_and_digits_restores_the_defaults(
    workspace: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = workspace / "params.yaml"
    before = flatten(load_params(file))
    capsys.readouterr()
    assert apply(name) == 0
    after = flatten(load_params(file))
    assert comments(file) == comments(workspace / "default.yaml")
    said = capsys.readouterr().out
    for key in [key for key in before if key in after and before[key] != after[key] and "space" not in key]:
        assert f"{key}: {before[key]} -> {after[key]}" in said
    assert apply(name) == 0
    assert "already has all settings" in capsys.readouterr().out
    run("recipe", "digits")
    assert (workspace / "params.yaml").read_bytes() == (workspace / "default.yaml").read_bytes()


@pytest.mark.parametrize("name", VARIED)
def test_a_recipe_leaves_the_settings_of_your_data_alone(
    workspace: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = workspace / "params.yaml"
    edit(file, MINE)
    before = flatten(load_params(file))
    run("recipe", name)
    after = flatten(load_params(file))
    changed = {key.split(".")[0] for key in before if before[key] != after.get(key)}
    assert changed <= {*NETWORK, "image"} and "train" in changed
    assert before["image.background"] == after["image.background"]
    assert capsys.readouterr().out.splitlines()[-1].startswith("your data settings are unchanged; `darkroom recipe ")


@pytest.mark.parametrize("name", VARIED)
def test_data_adds_the_data_of_the_result_to_the_same_network(
    workspace: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = workspace / "params.yaml"
    run("recipe", name)
    network = load_params(file)
    run("recipe", name, "--data")
    both = load_params(file)
    assert both.ingest.source.endswith(".zip")
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"next: put {both.ingest.source} into data/raw/")
    for section in (*NETWORK, "image", "validate"):
        assert getattr(both, section) == getattr(network, section)


def test_the_data_of_digits_may_be_asked_for(workspace: Path) -> None:
    run("recipe", "cifar10-cnn", "--data")
    assert run("recipe", "digits", "--data") == 0
    assert (workspace / "params.yaml").read_text() == (ROOT / "params.yaml").read_text()


def test_data_without_a_recipe_or_for_one_without_data_is_refused(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (workspace / "params.yaml").read_bytes()
    (workspace / "recipes" / "own.yaml").write_text("# ours\ntrain: {epochs: 3}\n")
    capsys.readouterr()
    assert (run("recipe", "--data"), run("recipe", "own", "--data")) == (2, 2)
    assert [line.split("; ")[-1] for line in capsys.readouterr().err.splitlines()] == [
        "`darkroom recipe` lists them",
        "leave out --data",
    ]
    assert (workspace / "params.yaml").read_bytes() == before


def test_no_data_setting_of_the_previous_recipe_stays(workspace: Path) -> None:
    file = workspace / "params.yaml"
    apply("cifar10-cnn")
    alone = load_params(file)
    apply("animals-augmented")
    assert load_params(file).balance.method == "undersample"
    edit(file, {"folds: 0": "folds: 5"})
    apply("cifar10-cnn")
    assert load_params(file) == alone


def test_data_leaves_labels_and_groups_alone(workspace: Path) -> None:
    file = workspace / "params.yaml"
    edit(file, MINE)
    apply("cifar10-cnn")
    params = load_params(file)
    assert (params.dedupe.group_by, params.ingest.labels) == (r"(p\d+)", {"cane": "dog"})
    assert params.tracking.experiment == "mine"


@pytest.mark.parametrize("name", VARIED)
def test_lists_may_stand_as_dvc_writes_them(workspace: Path, name: str) -> None:
    file = workspace / "params.yaml"
    text = file.read_text(encoding="utf-8").replace("dense: [128]            #", "dense:                  #", 1)
    text = text.replace("dropout; []: none\n", "dropout; []: none\n  - 128\n", 1)
    text = re.sub(r"filters: \[32, 64, 128\]( +#.*\n)", r"filters:\1  - 32\n  - 64\n  - 128\n", text)
    file.write_text(text, encoding="utf-8")
    assert load_params(file) == load_params(workspace / "default.yaml")
    apply(name)
    assert comments(file) == comments(workspace / "default.yaml")
    once = load_params(file)
    shutil.copy(workspace / "default.yaml", file)
    apply(name)
    assert load_params(file) == once


def test_the_search_space_is_replaced_as_a_whole(workspace: Path) -> None:
    recipe = "# one key\ntune: {space: {train: {batch_size: {choices: [8, 16]}}}}\n"
    (workspace / "recipes" / "one.yaml").write_text(recipe)
    run("recipe", "one")
    assert list(load_params(workspace / "params.yaml").tune.space) == ["train"]
    assert list(load_params(workspace / "params.yaml").tune.space["train"]) == ["batch_size"]


def test_a_searched_key_with_a_condition_stays_on_its_line(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("recipe", "binary-tuned")
    momentum = "momentum: {choices: [0.0, 0.9], when: {train.optimizer: [sgd, rmsprop]}}\n"
    assert f"      {momentum}" in (workspace / "params.yaml").read_text()
    capsys.readouterr()
    assert run("params", "tune.space.train.learning_rate") == 0  # as it is written, without keys that are not there
    assert capsys.readouterr().out == "tune.space.train.learning_rate: {low: 0.0001, high: 0.01, log: true}\n"


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
    own, reference = capsys.readouterr().out.split("\n\n")
    assert [line.split()[0] for line in own.splitlines()] == ["begin", *USUAL]
    assert [line.split()[0] for line in reference.splitlines()[1:]] == [n for n in RECIPES if n not in USUAL]


def test_a_recipe_of_your_own_replaces_one_of_the_reference_systems(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "recipes" / "cifar10-cnn.yaml").write_text("# ours\ntrain: {epochs: 3}\n")
    assert run("recipe", "cifar10-cnn") == 0
    assert load_params(workspace / "params.yaml").train.epochs == 3
    capsys.readouterr()
    run("recipe")
    assert capsys.readouterr().out.count("cifar10-cnn  ") == 1


def test_an_edit_keeps_what_would_be_a_sign_in_brackets(workspace: Path) -> None:
    """`[a:b]` is refused by the parser of DVC, which reads the values."""
    labels, nested = {"a:b": "x?", "c": "http://d"}, [["a:b"], [{"c?": ["d:e"]}]]
    edit_params(workspace / "params.yaml", [{"ingest": {"labels": labels}}], "test")
    assert load_params(workspace / "params.yaml").ingest.labels == labels
    document = parse_document("image: {size: 1}  # pixels\n")
    overlay(document, {"image": {"size": nested}})
    assert YAML(typ="safe").load(dump_document(document)) == {"image": {"size": nested}}


def test_a_tab_that_cannot_be_edited_is_one_line(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(workspace / "params.yaml", {"source: digits": "source: digits\t"})
    assert run("recipe", "small") != 0
    message = r"params.yaml: line \d+, column \d+ cannot be edited automatically: found a tab; use spaces\n$"
    assert re.search(message, capsys.readouterr().err)


def test_params_prints_one_value_or_helps(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("params", "train.epochs") == 0
    assert capsys.readouterr().out == f"{load_params(workspace / 'params.yaml').train.epochs}\n"
    assert run("params", "train.epoch") == 2
    assert "mean train.epochs?" in capsys.readouterr().err
    assert run("params", "tune.space") == 0
    assert YAML(typ="safe").load(capsys.readouterr().out)["tune.space"]["train"]["learning_rate"]["low"] == 0.0005


@pytest.mark.parametrize("name", RECIPES)
def test_the_head_of_a_recipe_names_command_data_and_result(name: str) -> None:
    recipe, text = read_yaml(FILES[name]), FILES[name].read_text()
    head = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    reached = re.search(r"Result: [\d.]+ (\+- [\d.]+ )?% of the test split .* (minutes|seconds) ", head)
    assert reached or "Result: not measured; it needs the ImageNet weights of " in head
    assert f" darkroom recipe {name} " in head and " Data: " in head
    if name in MEASURED:
        *first, last = recipe["data"]
        assert f" darkroom recipe {name} --data  with the data below: also sets {', '.join(first)} and {last} " in head
        assert recipe["data"]["ingest"]["source"] in head.split("Data: ")[1]


@pytest.mark.parametrize("name", MEASURED)
def test_only_the_data_part_of_a_recipe_names_data(name: str) -> None:
    recipe = read_yaml(FILES[name])
    assert recipe.keys() <= {*NETWORK, "image", "data"} and recipe["image"].keys() == {"size"}
    assert recipe["data"].keys() <= {"ingest", *(key.split(".")[0] for key in DATA)}
