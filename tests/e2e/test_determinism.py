"""The same commit on the same machine gives the same lock, trained weights included."""

from pathlib import Path

import pytest

from project import Project, reproduced


def test_two_clean_repositories_give_the_same_lock(project: Project, second: Project) -> None:
    assert "models/model.keras" in project.lock
    assert project.lock == second.lock


@pytest.mark.slow
def test_the_commands_of_a_user_give_the_same_lock_and_no_noise(project: Project, tmp_path: Path) -> None:
    cold = reproduced(tmp_path / "repository")
    assert cold.lock == project.lock
    for noise in ("oneDNN", "absl", "Warning", "Downloading", "INFO"):
        assert noise not in cold.output
