"""The same commit on the same machine gives the same lock, trained weights included."""

from conftest import Project, make_small_project


def test_two_clean_repositories_give_the_same_lock(project: Project, tmp_path_factory) -> None:
    other = make_small_project(tmp_path_factory.mktemp("second") / "a longer name for the folder")
    other.run("dvc", "repro")
    assert (other.root / "dvc.lock").read_text() == (project.root / "dvc.lock").read_text()
