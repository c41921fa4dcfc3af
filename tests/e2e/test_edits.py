"""What an edit of params.yaml or of the code runs again, by DVC itself: docs/reference.md, and the table of rooms."""

import re
from typing import Any

import pytest
from dvc.repo import Repo

from darkroom.params.schema import AFTERWARDS
from pictures import inside
from project import ROOT, Project
from rooms import RERUNS

QUICK = ("core", "evaluate", "params", "tracking")  # rooms; test_pipeline_file.py compares all with dvc.yaml
EDITS: dict[str, dict[str, Any]] = {
    "ingest": {"ingest.source": "other"},
    "validate": {"validate.min_per_class": 5},
    "dedupe": {"dedupe.keep": "first"},
    "balance": {"balance.seed": 7},
    "split": {"split.seed": 7},
    "tune": {"tune.seed": 7},
    "train": {"train.patience": 7},
    "evaluate": {"evaluate.batch_size": 7},
    "package": {"package.metric": "log_loss"},
    "package.name": {"package.name": "other"},
    "image": {"image.size": 24},
    "image.depth": {"image.depth": 12},
    "augment": {"augment.shift": 0.07},
    "model": {"model.kernel": 5},
    "finetune": {"finetune.layers": 7},
    "ensemble": {"ensemble.seeds": 2},
    "debug": {"debug.fraction": 0.5},
    "tracking": {"tracking.experiment": "other"},
}


def documented() -> dict[str, set[str]]:
    text = (ROOT / "docs" / "reference.md").read_text().split("## What reruns what")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| ([\w, ]+) \|", text, flags=re.MULTILINE)
    return {section: set(stages.split(", ")) for section, stages in rows}


def test_the_table_has_every_section(project: Project) -> None:
    sections = re.findall(r"^(\w+):", (project.root / "params.yaml").read_text(), flags=re.MULTILINE)
    assert documented().keys() == EDITS.keys() == {*sections, "image.depth", "package.name"} - {*AFTERWARDS}


def changed_stages(project: Project) -> set[str]:
    """Return the stages that `dvc repro` would run again because of an edit, not because of a stage before them."""
    with inside(project.root), Repo(str(project.root)) as repository:
        return set(repository.status())


def test_nothing_is_to_be_done_before_an_edit(project: Project) -> None:
    assert changed_stages(project) == set()


@pytest.mark.parametrize("section", sorted(EDITS))
def test_an_edit_runs_the_stages_that_the_table_names(project: Project, section: str) -> None:
    project.set(EDITS[section])
    try:
        changed = changed_stages(project)
    finally:
        project.run("git", "checkout", "--quiet", "params.yaml")
    assert changed == documented()[section]


@pytest.mark.parametrize(
    "room", [pytest.param(room, marks=() if room in QUICK else pytest.mark.slow) for room in sorted(RERUNS)]
)
def test_an_edit_in_a_room_runs_the_stages_that_declare_it(project: Project, room: str) -> None:
    new = project.root / "src" / "darkroom" / room / "new_module.py"
    new.write_text("NEW = True\n")
    try:
        assert changed_stages(project) == RERUNS[room]
    finally:
        new.unlink()


def test_what_editors_and_systems_leave_in_a_room_runs_nothing(project: Project) -> None:
    names = (".DS_Store", ".checks.py.swp", "checks.py~", "#checks.py#", "__pycache__/checks.pyc")
    left = [project.root / "src" / "darkroom" / "validate" / name for name in names]
    for file in left:
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    try:
        assert changed_stages(project) == set()
    finally:
        for file in left:
            file.unlink()
