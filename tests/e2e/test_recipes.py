"""Every recipe trains one short epoch on a small data set, through the whole pipeline (`make recipes`)."""

import json
from pathlib import Path

import pytest
from PIL import Image

from darkroom.params.recipes import recipe_files
from project import ROOT, Project, make_small_project

WEIGHTS = """
import sys
from pathlib import Path
import keras
Path("data/weights").mkdir(exist_ok=True)
network = getattr(keras.applications, sys.argv[1])(include_top=False, weights=None, input_shape=(100, 100, 3))
network.save_weights("data/weights/drawn.weights.h5")
"""
RECIPES = recipe_files(ROOT)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Return a repository whose small pictures are JPEG files, as most recipes' data are."""
    made = make_small_project(tmp_path_factory.mktemp("recipes") / "repository", programs)
    for path in (made.root / "data" / "raw" / "shapes").rglob("*.png"):
        if path.name != "broken.png":
            with Image.open(path) as image:
                image.convert("RGB").save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
    made.run("dvc", "add", "--quiet", "data/raw/shapes")
    made.commit()
    return made


@pytest.mark.slow  # some 20 CPU seconds each, of a backbone more; test_recipe_networks.py takes a step of each
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains(small: Project, name: str) -> None:
    small.run("git", "checkout", "--quiet", "params.yaml")
    small.run("darkroom", "recipe", name, *(["--data"] if name != "digits" else []))
    sigmoid = small.run("darkroom", "params", "model.output").stdout.strip() == "sigmoid"
    given = small.run("darkroom", "params", "model.weights").stdout.strip() == "imagenet"
    parts = 2 if given and small.run("darkroom", "params", "finetune.epochs").stdout.strip() != "0" else 1
    labels = {"cross": None} if sigmoid else {}
    small.set({"ingest.source": "shapes", "ingest.labels": labels, "debug.mode": "step"})
    if given:  # a test downloads nothing
        small.run("python", "-c", WEIGHTS, small.run("darkroom", "params", "model.architecture").stdout.strip())
        small.set({"model.weights": "drawn.weights.h5"})
    small.run("dvc", "repro", "train")
    report = json.loads(Path(small.root / "reports" / "train.json").read_text())
    assert report["epochs"] == parts and len(report["classes"]) == (2 if sigmoid else 3)
    assert 0 <= report["validation"]["log_loss"] < 20  # a number
