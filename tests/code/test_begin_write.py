"""What `darkroom begin` writes: values, and reasons above their keys; the file's own comments stay."""

import shutil
from pathlib import Path

import pytest

from commands import run
from darkroom.begin.choice import Choice
from darkroom.begin.facts import Proposal
from darkroom.begin.write import undecided, write_choices
from darkroom.core.errors import UserError
from darkroom.params.load import load_params
from darkroom.params.reasons import split_reasons
from pictures import ROOT, inside

SIZE = Choice("image.size", 160, "half of the pictures have a shorter side of 240 pixels or more")
FIRST = [Choice("ingest.source", "pets", "480 pictures of 3 classes"), SIZE, Choice("tune.enabled", False, "no time")]
LIMITS = {"max_imbalance": 90.0, "min_side": 4, "max_unreadable": 0.3}
GROUPS = Proposal("dedupe.group_by", r"(p\d+)", "names share an id")


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the default parameters, whatever a user has made of those of the repository."""
    folder = tmp_path_factory.mktemp("defaults")
    shutil.copy(ROOT / "dvc.yaml", folder)
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    text, _ = split_reasons((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    with inside(folder):
        run("recipe", "digits")
    return folder


@pytest.fixture
def root(tmp_path: Path, defaults: Path) -> Path:
    return shutil.copytree(defaults, tmp_path / "workspace")


def write(root: Path, choices: list[Choice], with_network: bool = True, dry: bool = False) -> list[str]:
    write_choices(root, choices, [GROUPS], with_network, dry)
    load_params(root / "params.yaml")
    return (root / "params.yaml").read_text(encoding="utf-8").splitlines()


def test_reasons_stand_above_their_keys_and_comments_stay(root: Path) -> None:
    before = (root / "params.yaml").read_text(encoding="utf-8")
    lines = write(root, FIRST)
    at = lines.index("  # chosen: 160, half of the pictures have a shorter side of 240 pixels or more")
    assert lines[at + 1].startswith("  size: 160  ") and lines[at + 1].endswith("the network gets size x size")
    at = lines.index(r"  # proposed: (p\d+), names share an id")
    assert lines[at + 1].startswith('  group_by: ""')
    kept = [line for line in lines if not line.strip().startswith(("# chosen", "# proposed"))]
    assert [line.partition("#")[2] for line in kept] == [line.partition("#")[2] for line in before.splitlines()]


def test_a_second_begin_replaces_the_reasons_and_the_same_one_changes_nothing(root: Path) -> None:
    first = write(root, FIRST)
    assert write(root, FIRST) == first
    other = [Choice("ingest.source", "cats", "200 pictures of 2 classes"), Choice("train.epochs", 7, "ten minutes")]
    lines = write(root, other)
    assert [line.split()[2] for line in lines if "# chosen:" in line] == ["cats,", "7,"]
    assert load_params(root / "params.yaml").tune.enabled  # what the first one set is the default again


def test_another_source_leaves_nothing_of_the_old_one_and_the_same_keeps_what_the_user_set(
    root: Path, defaults: Path
) -> None:
    write(root, FIRST)
    file = root / "params.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("labels: {}", "labels: {cane: dog}"), encoding="utf-8")
    limits = [Choice(f"validate.{key}", value, "its own") for key, value in LIMITS.items()]
    write(root, [*FIRST, *limits, Choice("image.depth", 12, "of X-rays")])
    kept = load_params(file)
    assert kept.ingest.labels == {"cane": "dog"}
    assert kept.validate.model_dump(include=set(LIMITS)) == LIMITS and kept.image.depth == 12
    write(root, FIRST)
    assert load_params(file) == kept
    write(root, [Choice("ingest.source", "cats", "200 pictures")])
    after = load_params(file)
    assert (after.ingest.labels, after.image.depth) == ({}, "auto")
    assert after.validate == load_params(defaults / "params.yaml").validate


def test_a_proposal_that_is_followed_is_not_made_again_but_for_another_source_it_is(root: Path) -> None:
    write(root, FIRST)
    assert undecided(root, "pets", [GROUPS]) == [GROUPS]
    write(root, [*FIRST, Choice(GROUPS.key, GROUPS.value, "as proposed")])
    assert undecided(root, "pets", [GROUPS]) == []
    assert undecided(root, "cats", [GROUPS]) == [GROUPS]


def test_data_only_keeps_the_network_and_its_reasons(root: Path) -> None:
    write(root, FIRST)
    lines = write(root, [Choice("ingest.source", "cats", "200 pictures")], with_network=False)
    assert [line.split()[2] for line in lines if "# chosen:" in line] == ["cats,", "false,", "160,"]


def test_a_dry_run_and_impossible_values_change_nothing(root: Path) -> None:
    before = (root / "params.yaml").read_bytes()
    write(root, FIRST, dry=True)
    with pytest.raises(UserError, match=r"params.yaml: image.size = 3: input should be greater than"):
        write(root, [FIRST[0], Choice("image.size", 3, "no reason")])
    assert (root / "params.yaml").read_bytes() == before


def test_a_recipe_takes_away_the_reasons_of_what_it_changes(root: Path) -> None:
    write(root, [*FIRST, Choice("split.test", 0.2, "of few")])
    with inside(root):
        assert run("recipe", "tiny") == 0
    lines = (root / "params.yaml").read_text(encoding="utf-8").splitlines()
    assert [line.split()[2] for line in lines if "# chosen:" in line] == ["pets,", "0.2,", "false,"]
