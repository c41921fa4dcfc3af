"""The whole loop: the traffic drifts, the alarm comes, feedback is given, and the running app answers better."""

import json
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image, ImageDraw

from darkroom.core.feedback import save_feedback
from project import COLOURS, Project, reproduced

ANSWERED = 120
CORRECTED = 75  # pictures that people have labelled


def at_night(label: str, chance: random.Random) -> bytes:
    """Return a picture of a class on a dark ground, in another colour than the training pictures have."""
    grain = Image.frombytes("L", (24, 20), chance.randbytes(24 * 20)).convert("RGB")
    image = Image.blend(Image.new("RGB", grain.size, "black"), grain, 0.3)
    colour, place = {"red": "olive", "green": "teal", "blue": "maroon"}[COLOURS[label]], chance.randint(2, 7)
    ImageDraw.Draw(image).rectangle((place, place, place + 10, place + 10), fill=colour)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@contextmanager
def running_app(project: Project) -> Iterator[str]:
    """Start `darkroom app`, in a process of its own that can be ended, and yield its address."""
    command = [sys.executable, "-c", "from darkroom.cli.main import main; main()", "app", "--port", "0"]
    env = project.env() | {"PYTHONPATH": str(project.root / "src")}
    app = subprocess.Popen(command, cwd=project.root, env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert app.stderr is not None
        said = app.stderr.readline()
        found = re.search(r"http://[\d.]+:\d+", said)
        assert found, said + app.stderr.read()
        yield found.group()
    finally:
        app.terminate()
        app.communicate(timeout=30)


def answer(address: str, picture: bytes) -> dict[str, Any]:
    request = urllib.request.Request(f"{address}/predict", picture, {"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def splits_of(root: Path) -> pd.DataFrame:
    manifest = pd.read_parquet(root / "data/manifest.parquet", columns=["image_id", "feedback"])
    return pd.read_parquet(root / "data/splits.parquet").merge(manifest, on="image_id")


@pytest.mark.slow
def test_drift_is_seen_and_feedback_makes_a_champion_that_answers_at_once(tmp_path: Path, programs: Path) -> None:
    project, chance = reproduced(tmp_path / "repository", programs), random.Random(1)
    before = splits_of(project.root)
    labels = [sorted(COLOURS)[number % 3] for number in range(ANSWERED)]
    drifted = [(label, at_night(label, chance)) for label in labels]
    with running_app(project) as address:
        first = [answer(address, picture) for _, picture in drifted]
        assert {one["version"] for one in first} == {"1"}
        time.sleep(5)  # the log is written behind the answers
        alarm = project.run("darkroom", "watch", check=False)
        assert alarm.returncode == 1 and "brightness" in alarm.stdout.splitlines()[-1], alarm.stdout + alarm.stderr
        assert "drift" in (project.root / "reports/watch.html").read_text()
        for (label, picture), given in list(zip(drifted, first, strict=True))[:CORRECTED]:
            save_feedback(project.root / "data/feedback", picture, ".png", label, given["label"], "1")
        done = project.run("dvc", "repro")
        after = splits_of(project.root)
        own = after[~after["feedback"]].drop(columns="feedback").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, before.drop(columns="feedback"))
        assert set(after[after["feedback"]]["split"]) == {"train", "validation"}
        report = json.loads((project.root / "reports/package.json").read_text())
        assert report["released"], done.stdout[-3000:]
        picture = drifted[-1][1]
        for _ in range(240):
            if answer(address, picture)["version"] == "2":
                break
            time.sleep(0.5)
        later = [answer(address, picture) for _, picture in drifted[CORRECTED:]]
    assert {one["version"] for one in later} == {"2"}
    right = [
        sum(one["label"] == label for one, label in zip(answers, labels[CORRECTED:], strict=True))
        for answers in (first[CORRECTED:], later)
    ]
    assert right[1] > right[0]
    last = project.run("darkroom", "watch", check=False)
    assert last.returncode in (0, 1) and "darkroom watch:" not in last.stderr and "Traceback" not in last.stderr
