"""`darkroom predict`: its page and heat maps, the model from a bundle or a store, and mistakes in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from mlflow import MlflowClient

from darkroom.serving.heat import heat_drawer
from defaults import default_params
from page_reader import read_page
from pictures import ROOT, write_files
from predicting import FILES, HEADER, predict


def test_the_page_shows_each_picture_and_needs_nothing_else(photo_folder: Path) -> None:
    write_files(photo_folder / "photos", {"<b>.png": FILES["blue.png"]})
    assert predict("photos", "--output", "out.csv", "--html", "photos/page.html", "--explain") == 1
    page = read_page(photo_folder / "photos" / "page.html")
    pictures = [link for link in page.links if link.startswith("data:image/webp;base64,")]
    assert len(pictures) == 2 * 6 and all(link[0] == "#" for link in page.links if link not in pictures)
    text = " ".join(page.texts)
    assert "photos/<b>.png" in text and "not an image in a known format" in text and "abstains" in text
    assert not page.handlers and "http" not in text
    first = (photo_folder / "photos" / "page.html").read_bytes()
    assert predict("photos", "--output", "out.csv", "--html", "photos/page.html", "--explain") == 1
    assert (photo_folder / "photos" / "page.html").read_bytes() == first  # it is no input, and holds no time


def test_the_graph_of_a_bundle_draws_what_keras_draws(photo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, classes = photo_folder / "models" / "bundle", np.arange(6) % 3
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    with monkeypatch.context() as patch:
        patch.setattr(keras.models, "load_model", None)
        drawn = heat_drawer(bundle)(pixels, classes)
    (bundle / "heat_map.onnx").unlink()
    for found, expected in zip(drawn, heat_drawer(bundle)(pixels, classes), strict=True):
        assert np.asarray(found, int) == pytest.approx(np.asarray(expected, int), abs=2)


@pytest.mark.parametrize(
    ("words", "model", "message"),
    [
        (["gone.png"], "models", "gone.png: does not exist, and no file matches"),
        (["photos"], "photos", "--model photos: holds no model; `make repro` writes models/bundle"),
        (["photos"], "gone", "--model gone: no such folder"),
        (["photos", "--explain"], "models", "add --html FILE"),
        (["photos", "--output", "x.txt"], "models", "give a file that ends in .csv, .jsonl, .parquet"),
        (["photos", "--top", "4"], "models", "--top 4: the model has 3 classes"),
        (["names.csv"], "models", "names.csv has no column 'path'; one must name the pictures; did you mean paths?"),
        (["broken.zip"], "models", "broken.zip"),
    ],
)
@pytest.mark.usefixtures("photo_folder")
def test_a_mistake_is_one_line(words: list[str], model: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("names.csv").write_text("paths\na.png\n")
    Path("broken.zip").write_bytes(b"no archive")
    assert predict(*words, model=model) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("darkroom predict: ") and message in line


def test_the_champion_and_versions_come_from_the_store(
    photo_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{photo_folder / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    shutil.copy(ROOT / "params.yaml", photo_folder)
    (photo_folder / "dvc.yaml").write_text("stages: {}\n")
    assert predict("photos/red.png", model="champion") == 1
    assert "has no champion yet; run `make repro` first" in capsys.readouterr().err
    client, name = MlflowClient(uri, uri), default_params().package.name
    client.create_registered_model(name)
    source = photo_folder / "mlruns" / "model"
    shutil.copytree(photo_folder / "models" / "bundle", source / "artifacts" / "bundle")
    client.create_model_version(name, source.as_uri())
    assert predict("photos/red.png", model="2") == 1
    assert capsys.readouterr().err.endswith("has no such version; there are: 1\n")
    client.set_registered_model_alias(name, "champion", "1")
    assert (predict("photos/red.png", model="champion"), predict("photos/red.png", model="1")) == (0, 0)
    first, second = (line for line in capsys.readouterr().out.splitlines() if line != HEADER)
    assert first == second and first.startswith("photos/red.png,red,")
    assert [path.name for path in (photo_folder / ".cache" / "scratch").iterdir()] == ["lock"]


@pytest.mark.usefixtures("photo_folder")
def test_a_folder_needs_no_mlflow() -> None:
    code = """
import sys
import darkroom.cli.predict
from darkroom.serving.bundles import open_bundle
with open_bundle("models") as bundle:
    print(bundle.as_posix(), "mlflow" in sys.modules)
"""
    known = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=known, capture_output=True, text=True, check=True)
    assert done.stdout == "models/bundle False\n"
