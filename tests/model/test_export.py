"""`darkroom export` and `darkroom shrink` on a workspace of tiny pictures."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from commands import run
from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.examples.saving import save_network
from darkroom.export import exporting
from darkroom.export.exporting import Export, export_bundle, require_usable
from darkroom.export.formats import FORMATS
from darkroom.export.onnx_writing import onnx_model, with_int8_weights
from darkroom.export.writing import served_network
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.models.architecture import build_network
from easy import CLASSES, examples, small_params
from page_reader import read_page
from pictures import ROOT, encode, inside

SIDE, PICTURES = 8, 48
TEMPERATURE = 1.7
COLUMNS = ["format", "precision", "kilobytes", "agreement", "accuracy", "p50_ms"]


def write_workspace(root: Path) -> None:
    """Write params.yaml, packed pictures of two classes, their splits, and a bundle."""
    (root / "dvc.yaml").write_text("stages: {}\n")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (root / "params.yaml").write_text(text.replace("size: 16 ", f"size: {SIDE} "), encoding="utf-8")
    made = examples(PICTURES, 3, side=SIDE)
    ids = [f"{number:020x}" for number in range(PICTURES)]
    packed = [(name, encode(Image.fromarray(made.pixels[row])), bytes(THUMBNAIL_BYTES)) for row, name in enumerate(ids)]
    (root / "data" / "images").mkdir(parents=True)
    write_shard(root / "data" / "images" / "0.parquet", packed)
    labels = np.array(CLASSES)[made.labels]
    split = np.where(np.arange(PICTURES) < PICTURES // 2, "train", "validation")
    table = pd.DataFrame({"image_id": ids, "label": labels, "split": split, "weight": 1.0, "copies": np.int32(1)})
    table.to_parquet(root / "data" / "splits.parquet")
    write_small_bundle(root / "models" / "bundle")


def write_small_bundle(folder: Path) -> None:
    """Write what an export reads of a bundle; its last layer is solved for, not trained."""
    keras.utils.set_random_seed(1)
    network = build_network(small_params(model={"filters": [16], "dense": [], "head": "average"}).model, SIDE, 2)
    known = examples(64, 5)
    seen = keras.Model(network.input, network.get_layer("average").output).predict(known.pixels, verbose=0)
    solved = np.linalg.lstsq(np.column_stack([seen, np.ones(64)]), 4.0 * np.eye(2)[known.labels], rcond=None)[0]
    network.get_layer("probabilities").set_weights([solved[:-1], solved[-1]])
    folder.mkdir(parents=True)
    save_network(network, folder / "model.keras")
    write_decision(folder / "decision", Rule(TEMPERATURE, 0.9, 0.3), Familiarity(np.eye(8, dtype=np.float32), 1, 0.5))
    image = {"size": SIDE, "resize": "squash", "background": "white", "depth": "auto"}
    (folder / "bundle.json").write_text(json.dumps({"classes": list(CLASSES), "image": image}))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    write_workspace(root)
    return root


@pytest.fixture
def work(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    copy = Path(shutil.copytree(prepared, tmp_path / "work"))
    with inside(copy):
        yield copy


def export(*words: str) -> int:
    return run("export", "--model", "models", *words)


@pytest.mark.parametrize(("kind", "precision"), [("onnx", "float32"), ("onnx", "int8"), ("litert", "int8")])
def test_an_export_answers_as_keras_does(work: Path, kind: str, precision: str) -> None:
    assert export("--format", kind, "--precision", precision, "--output", "out") == 0
    (row,) = csv.DictReader((work / "reports" / "export.csv").read_text().splitlines())
    assert list(row)[: len(COLUMNS)] == COLUMNS and (row["format"], row["precision"]) == (kind, precision)
    assert float(row["agreement"]) == 1 and float(row["accuracy"]) > 0.9
    assert float(row["difference"]) < (1e-5 if precision == "float32" else 0.1)
    assert float(row["kilobytes"]) * 1000 == (work / "out" / FORMATS[kind].model).stat().st_size
    assert (work / "out" / "labels.txt").read_text().split() == list(CLASSES)
    assert {kind, precision} <= {*read_page(work / "reports" / "export.html").texts}


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_the_example_of_each_format_runs_without_darkroom(work: Path, kind: str) -> None:
    for precision in FORMATS[kind].precisions:
        assert export("--format", kind, "--precision", precision, "--output", "out") == 0
        Image.fromarray(examples(2, 9).pixels[1]).save(work / "picture.png")
        code = work / "out" / "example.py"
        done = subprocess.run([sys.executable, "-I", code, "picture.png"], capture_output=True, text=True, check=True)
        label, share = done.stdout.split()
        assert label in CLASSES and 0.5 <= float(share) <= 1
        assert "darkroom" not in code.read_text().replace("darkroom/", "")


def test_weights_of_eight_bits_are_a_quarter() -> None:
    network = build_network(small_params(model={"filters": [32, 32, 64], "dense": []}).model, SIDE, 2)
    model = onnx_model(served_network(network, TEMPERATURE))
    assert with_int8_weights(model).ByteSize() < model.ByteSize() / 3


def test_one_that_loses_too_much_is_not_written(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert export("--format", "keras", "--output", "out") == 0  # the quickest to write
    before = (work / "reports" / "export.csv").read_bytes()
    monkeypatch.setattr(exporting, "load_export", lambda *_: lambda pixels: np.tile([[1.0, 0.0]], (len(pixels), 1)))
    assert export("--format", "keras", "--output", "other") == 1
    assert not (work / "other").exists() and not list(work.glob("*.partial"))
    assert (work / "reports" / "export.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "onxx"], "--format onxx: unknown format; did you mean onnx?"),
        (["--format", "keras", "--precision", "int8"], "keras has float32 only; int8 has: litert, onnx, openvino"),
        (["--format", "onnx", "--precision", "int4"], "--precision int4: unknown precision; did you mean int8?"),
        (["--format", "onnx", "--output", "models"], "--output models: is not empty"),
        (["--format", "onnx", "--output", "dvc.yaml"], "--output dvc.yaml: is a file"),
        (["--format", "onnx", "--output", "dvc.yaml/out"], "--output dvc.yaml/out: cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    work: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.is_dir() and export(*(["--output", "out"] if "--output" not in words else []), *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("darkroom export: ") and message in line


def test_the_row_of_a_champion_has_its_number(work: Path) -> None:
    fetched = work / "fetched"
    shutil.copytree(work / "models" / "bundle", fetched / "artifacts" / "bundle")
    (fetched / "registered_model_meta").write_text("model_name: darkroom\nmodel_version: '3'\n")
    assert export_bundle(Export("champion", "keras", "float32", Path("out")), fetched / "artifacts" / "bundle") == 0
    assert pd.read_csv("reports/export.csv", dtype=str)["version"].tolist() == ["3"]


def test_a_folder_with_a_file_of_the_user_s_is_left_alone(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = work / "out"
    out.mkdir()
    for name in ("example.py", "labels.txt"):
        (out / name).touch()
    require_usable(Export("models", "onnx", "float32", out))
    (out / "notes.txt").touch()
    assert export("--format", "onnx", "--output", "out") == 2
    assert "is not empty" in capsys.readouterr().err and len(list(out.iterdir())) == 3


def test_a_package_that_is_missing_is_named(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("darkroom.export.formats.find_spec", lambda _: None)
    assert work.is_dir() and export("--format", "openvino", "--output", "out") == 2
    assert "run `pip install openvino`" in capsys.readouterr().err


def test_pictures_that_are_missing_are_one_line(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(work / "data")
    assert export("--format", "onnx", "--output", "out") == 2
    assert "make them with `make repro`" in capsys.readouterr().err


@pytest.mark.slow
def test_students_are_trained_pruned_and_exported(work: Path) -> None:
    sizes = ["--filters", "8", "--filters", "4", "--sparsity", "0.5", "--epochs", "2"]
    assert run("shrink", "--model", "models", *sizes) == 0
    table = pd.read_csv("reports/shrink.csv")
    assert list(table["name"]) == ["champion", "8", "8-sparse-0.5", "4", "4-sparse-0.5"]
    assert table["parameters"][3] < table["parameters"][1]
    assert table["zipped_kilobytes"][2] < table["zipped_kilobytes"][1]
    assert run("export", "--model", "models/students/8", "--format", "onnx", "--output", "out") == 0
    assert run("predict", "--model", "models/students/4", "out") in (0, 1, 2)
    assert "8-sparse-0.5" in read_page(work / "reports" / "shrink.html").texts
    for words in (["--filters", "a,b"], ["--width", "0.5"], []):
        assert run("shrink", *words) == 2
