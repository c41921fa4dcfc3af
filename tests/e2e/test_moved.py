"""A moved repository, `darkroom doctor` and the champion."""

import shutil

from server import serving

from conftest import Project


def test_a_moved_repository_serves_its_champion_after_the_doctor(project: Project, tmp_path_factory) -> None:
    moved = Project(tmp_path_factory.mktemp("moved") / "elsewhere")
    shutil.copytree(project.root, moved.root, symlinks=True)
    hidden = project.root.with_name("hidden")
    project.root.rename(hidden)  # so that nothing is found at the old place
    try:
        told = moved.run("darkroom", "doctor", check=False)
        assert told.returncode == 1
        assert "doctor --fix" in told.stdout
        mended = moved.run("darkroom", "doctor", "--fix")
        assert "FAIL" not in mended.stdout
        assert "training step" in mended.stdout
        with serving(moved):
            pass
        assert "FAIL" not in moved.run("darkroom", "doctor").stdout
    finally:
        hidden.rename(project.root)


def test_an_environment_made_for_another_folder_is_made_anew(project: Project) -> None:
    """Scripts in .venv name the folder that it was made for; `make -n` says what would be done."""
    venv = project.root / ".venv"
    venv.mkdir()
    try:
        for place, bootstraps in (("/elsewhere", True), (str(project.root), False)):
            (venv / ".ready").write_text(f"{place}\n")
            assert ("bootstrap" in project.run("make", "-n", "env").stdout) == bootstraps
    finally:
        shutil.rmtree(venv)
