"""The same commit on the same machine gives the same lock, trained weights included."""

from project import Project


def test_two_clean_repositories_give_the_same_lock(project: Project, second: Project) -> None:
    assert "models/model.keras" in project.lock
    assert project.lock == second.lock
