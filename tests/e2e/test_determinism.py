"""The same commit on the same machine gives the same lock, trained weights included."""

from pathlib import Path

import pytest
import yaml

from darkroom.core.paths import ARTEFACTS
from project import Project, reproduced


def digests(project: Project) -> dict[str, str]:
    """Return the digest of each output in dvc.lock, but of the table of trials, which has their seconds."""
    stages = yaml.safe_load(project.lock)["stages"].values()
    outs = {out["path"]: out["md5"] for stage in stages for out in stage["outs"]}
    assert outs.pop(ARTEFACTS["trials"])
    return outs


def test_two_clean_repositories_give_the_same_lock(project: Project, second: Project) -> None:
    assert "models/model.keras" in digests(project)
    assert digests(project) == digests(second)


@pytest.mark.slow
def test_the_commands_of_a_user_give_the_same_lock_and_no_noise(project: Project, tmp_path: Path) -> None:
    cold = reproduced(tmp_path / "repository")
    assert digests(cold) == digests(project)
    for noise in ("oneDNN", "absl", "Warning", "Downloading", "INFO"):
        assert noise not in cold.output
