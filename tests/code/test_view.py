"""MLflow's page of results in a browser: the form of its state is documented nowhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.tracking.headlines import HEADLINES
from darkroom.tracking.results import PARENT_TAG, PIPELINE_TAG
from darkroom.tracking.store import connect, experiment_id, own_store
from darkroom.tracking.view import address
from pictures import inside
from server import listening

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=2600,900"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_page_shows_pipelines_only_the_best_on_test_first(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").touch()
    with inside(tmp_path):
        client = connect()
        experiment = experiment_id(client, "darkroom")
        for name, accuracy in (("second", 0.8), ("third", 0.7), ("first", 0.9)):
            run = client.create_run(experiment, run_name=name, tags={PIPELINE_TAG: name, "verdict": "champion: why"})
            for metric in HEADLINES:
                client.log_metric(run.info.run_id, metric, accuracy)
        client.create_run(experiment, run_name="a stage")
        client.create_run(experiment, run_name="trial 7", tags={PARENT_TAG: run.info.run_id})
        server = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--backend-store-uri", own_store()]
        with listening(server, tmp_path) as (server_address, _):
            page = address(server_address, "darkroom")
            command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=30000"]
            done = subprocess.run([*command, "--dump-dom", page], capture_output=True, text=True, timeout=240)
    text = re.sub(r"<[^>]+>", " ", done.stdout)
    assert "3 matching runs" in " ".join(text.split()) and "a stage" not in text and "trial 7" not in text
    rows = re.findall(r">(first|second|third)<", done.stdout)
    assert rows == ["first", "second", "third"]
    shown = [text.find(f" {name} ") for name in ("test_accuracy", "test_f1_macro", "test_roc_auc")]
    assert -1 not in shown and shown == sorted(shown)
