"""What an edit of params.yaml runs again: the table in the README, proven by `dvc status`."""

import json
import re

import pytest
from project import ROOT, Project

EDITS = {
    "ingest": {"ingest.source": "other"},
    "validate": {"validate.min_per_class": 5},
    "dedupe": {"dedupe.keep": "first"},
    "balance": {"balance.seed": 7},
    "split": {"split.seed": 7},
    "tune": {"tune.seed": 7},
    "train": {"train.patience": 7},
    "evaluate": {"evaluate.batch_size": 7},
    "package": {"package.metric": "log_loss"},
    "image": {"image.size": 24},
    "augment": {"augment.shift": 0.07},
    "model": {"model.kernel": 5},
    "finetune": {"finetune.layers": 7},
    "ensemble": {"ensemble.seeds": 2},
    "debug": {"debug.fraction": 0.5},
    "tracking": {"tracking.experiment": "other"},
}


def readme_table() -> dict[str, set[str]]:
    text = (ROOT / "README.md").read_text().split("## What reruns what")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", text, flags=re.MULTILINE)
    return {section: set(stages.split(", ")) for section, stages in rows}


def test_the_table_has_every_section(project: Project) -> None:
    sections = re.findall(r"^(\w+):", (project.root / "params.yaml").read_text(), flags=re.MULTILINE)
    assert readme_table().keys() == EDITS.keys() == set(sections)


def test_nothing_is_to_be_done_before_an_edit(project: Project) -> None:
    assert json.loads(project.run("dvc", "status", "--json").stdout) == {}


@pytest.mark.parametrize("section", sorted(EDITS))
def test_an_edit_runs_the_stages_that_the_table_names(project: Project, section: str) -> None:
    project.set(EDITS[section])
    try:
        changed = json.loads(project.run("dvc", "status", "--json").stdout)
    finally:
        project.run("git", "checkout", "--quiet", "params.yaml")
    assert set(changed) == readme_table()[section]
