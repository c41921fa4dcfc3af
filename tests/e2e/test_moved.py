"""A moved repository, `darkroom doctor` and the champion."""

import shutil
from pathlib import Path

import pytest

from project import Project

ASK_CHAMPION = """
import base64, mlflow, pandas
picture = base64.b64encode(open("reports/example.png", "rb").read()).decode()
answer = mlflow.pyfunc.load_model("models:/darkroom@champion").predict(pandas.DataFrame({"image": [picture]}))
print("answered" if answer["error"][0] is None else answer["error"][0])
"""


def test_a_moved_repository_answers_with_its_champion_after_the_doctor(
    project: Project, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    moved = Project(tmp_path_factory.mktemp("moved") / "elsewhere", programs)
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
        assert moved.run("python", "-c", ASK_CHAMPION).stdout.splitlines()[-1] == "answered"
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
