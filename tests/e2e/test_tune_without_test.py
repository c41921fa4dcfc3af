"""The stage tune in a project from which the pictures of the test split are gone."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pictures import without_test
from project import Project, make_small_project


def found(project: Project) -> tuple[str, str, pd.DataFrame]:
    """Return the report, the best values and the table of trials without what the clock decides."""
    report, best = ((project.root / name).read_text() for name in ("reports/tune.json", "models/tune/best.yaml"))
    return report, best, pd.read_csv(project.root / "models/tune/trials.csv").drop(columns="seconds")


@pytest.mark.slow  # two searches
def test_tune_finds_the_same_without_the_pictures_of_test(tmp_path: Path, programs: Path) -> None:
    project = make_small_project(tmp_path / "repository", programs)
    project.set({"tune.trials": 2})
    project.run("dvc", "repro", "tune")
    before, images = found(project), project.root / "data/images"
    splits = pd.read_parquet(project.root / "data/splits.parquet")
    without_test(images, splits, tmp_path / "fewer")
    shutil.rmtree(images)
    shutil.move(tmp_path / "fewer", images)
    shutil.rmtree(project.root / ".cache")  # the trials and the decoded pictures
    done = project.run("python", "-P", "pipeline/tune.py")
    assert "trial 1 (2 of 2)" in done.stderr  # it searched again
    after = found(project)
    assert after[:2] == before[:2]
    pd.testing.assert_frame_equal(after[2], before[2])
