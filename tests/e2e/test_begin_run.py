"""From a folder of pictures to a released model, with two commands."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pictures import ROOT
from project import copy_repository, draw_shapes


@pytest.mark.slow
def test_begin_and_repro_make_a_model_of_any_folder(tmp_path: Path) -> None:
    project = copy_repository(tmp_path / "project")
    draw_shapes(tmp_path / "shapes")
    begun = project.run("darkroom", "begin", str(tmp_path / "shapes"), "--minutes", "1").stdout
    assert "ingest.source" in begun and "train.epochs" in begun
    text = (project.root / "params.yaml").read_text(encoding="utf-8")
    assert "  # chosen: shapes, " in text and "chosen: 20, pixels" in text
    project.run("dvc", "repro")
    report = json.loads((project.root / "reports" / "package.json").read_text(encoding="utf-8"))
    assert report["released"]  # how good it is depends on the epochs that this machine does in a minute


@pytest.mark.parametrize(("given", "begins"), [("SOURCE=x", "begin  --"), ("MINUTES=3", "begin --minutes 3 --")])
def test_make_reads_source_and_minutes_from_the_command_line_alone(given: str, begins: str) -> None:
    command = ["make", "-n", "repro", *dict.fromkeys(("SOURCE=x", given))]
    environment = os.environ | {"SOURCE": "y", "MINUTES": "7"}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert f'darkroom {begins} "x"' in said
    assert (
        "darkroom begin"
        not in subprocess.run(command[:3], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    )
