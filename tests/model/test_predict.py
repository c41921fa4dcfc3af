"""`darkroom predict` with a network that answers with the mean colours, in a bundle and in a store."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from PIL import Image

from darkroom.cli.main import main
from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.package.bundle import write_bundle
from darkroom.serving.bundles import load_served
from darkroom.serving.heat import heat_drawer
from defaults import default_params
from page_reader import read_page
from pictures import ROOT, encode, inside, write_files, write_tar, write_zip

COLOURS = {"red": (250, 5, 5), "green": (5, 250, 5), "blue": (5, 5, 250), "grey": (99, 99, 99)}
FILES = {f"{name}.png": encode(Image.new("RGB", (9, 12), colour)) for name, colour in COLOURS.items()}
HEADER = "path,label,score,set,abstains,error,ood_score"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    params, folder = default_params(), tmp_path_factory.mktemp("models")
    pixels = keras.Input((8, 8, 3))
    maps = keras.layers.Activation("relu")(keras.layers.Rescaling(1 / 50)(pixels))
    means = keras.layers.GlobalAveragePooling2D()(maps)
    last = keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer="identity", name="probabilities")
    keras.Model(pixels, last(means)).save(folder / "model.keras")
    write_decision(folder / "decision", Rule(1.0, 0.9, 0.3), Familiarity(np.eye(3, dtype=np.float32), 1, 0.5))
    image, noise = params.image.model_copy(update={"size": 8}), np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3))
    parts = folder / "model.keras", folder / "decision", list(COLOURS)[:3], image, params.package
    assert write_bundle(folder / "bundle", *parts, lambda: noise.astype(np.uint8)) == {"runtime": "onnx"}
    return folder / "bundle"


@pytest.fixture
def work(tmp_path: Path, bundle: Path) -> Iterator[Path]:
    """Work in a folder with models/ and photos/: four pictures, and a file that is none."""
    shutil.copytree(bundle, tmp_path / "models" / "bundle")
    write_files(tmp_path / "photos", {**FILES, "deep/down/red.jpg": FILES["red.png"], ".hidden": b"", "z.png": b"x"})
    with inside(tmp_path):
        yield tmp_path


def predict(*words: str, model: str = "models") -> int:
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--model", model, *words])
    return int(ended.value.code or 0)


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.usefixtures("work")
def test_each_file_below_a_folder_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert predict("photos/") == 1
    output = capsys.readouterr()
    assert output.out.splitlines()[0] == HEADER
    assert "darkroom predict: 6 pictures, 1 unreadable, 1 abstained; " in output.err
    rows = {row.pop("path"): row for row in csv.DictReader(io.StringIO(output.out))}
    names = ["blue.png", "green.png", "grey.png", "red.png", "z.png", "deep/down/red.jpg"]
    assert list(rows) == [f"photos/{name}" for name in names]
    assert rows["photos/deep/down/red.jpg"] == rows["photos/red.png"]
    row = rows["photos/red.png"]
    assert row | {"score": "", "ood_score": ""} == dict.fromkeys(row, "") | {
        "label": "red",
        "set": "red",
        "abstains": "false",
    }
    assert rows["photos/grey.png"]["set"] == "red|green|blue" and rows["photos/grey.png"]["abstains"] == "true"
    assert rows["photos/z.png"].pop("error") == "not an image in a known format"
    assert set(rows["photos/z.png"].values()) == {""}


@pytest.mark.usefixtures("work")
def test_rows_are_what_the_served_model_answers(capsys: pytest.CaptureFixture[str]) -> None:
    predict("photos/*.png", "--top", "3")
    answers = load_served(Path("models/bundle"))([path.read_bytes() for path in sorted(Path("photos").glob("*.png"))])
    for row, answer in zip(printed(capsys), answers, strict=True):
        assert (row["label"] or None, row["error"] or None) == (answer["label"], answer["error"])
        if answer["label"]:
            best = sorted(answer["probabilities"].items(), key=lambda item: -item[1])
            assert row["set"] == "|".join(answer["set"]) and row["abstains"] == str(answer["abstains"]).lower()
            assert [row["label"], row["label_2"], row["label_3"]] == [name for name, _ in best]
            scores = [float(row[name]) for name in ("score", "score_2", "score_3")]
            assert scores == pytest.approx([share for _, share in best], abs=1e-6)


def test_inputs_of_all_kinds(work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(work / "some", {"b/green.png": FILES["green.png"], "a.png": FILES["red.png"]})
    write_zip(work / "some", work / "some.zip")
    write_tar(work / "some", work / "some.tgz", "gz")
    Path("photos/list.csv").write_text("name;path\nx; blue.png\ny;\nz;../some/a.png\n")
    pd.DataFrame({"path": ["some/a.png", "gone.png"]}).to_parquet("list.parquet")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"some/b/green.png\n\nphotos\n")))
    assert predict("some/a.png", "some.zip", "some.tgz", "photos/list.csv", "list.parquet", "-", "some/**") == 1
    found = [(row["path"], row["label"] or row["error"]) for row in printed(capsys)]
    assert found[0] == ("some/a.png", "red")
    assert sorted(found[1:3]) == [("some.zip/a.png", "red"), ("some.zip/b/green.png", "green")]
    assert sorted(found[3:5]) == [("some.tgz/a.png", "red"), ("some.tgz/b/green.png", "green")]
    assert found[5:7] == [("blue.png", "blue"), ("../some/a.png", "red")]
    assert found[7:9] == [("some/a.png", "red"), ("gone.png", "cannot be read: No such file or directory")]
    assert found[9:11] == [("some/b/green.png", "green"), ("photos", "cannot be read: Is a directory")]
    assert found[11:] == [("some/a.png", "red"), ("some/b/green.png", "green")]


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Return the rows of an output as JSON lines have them."""
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text().splitlines()]
    if file.suffix == ".parquet":
        rows = pd.read_parquet(file).astype(object)
        return list(json.loads(rows.to_json(orient="records", double_precision=15)))
    read = csv.DictReader(io.StringIO(file.read_text()))
    return [{name: from_csv(name, value) for name, value in row.items()} for row in read]


def from_csv(name: str, value: str) -> Any:
    if "score" in name and value:
        return float(value)
    return (value.split("|") if name == "set" else {"true": True, "false": False}.get(value, value)) if value else None


def test_the_formats_hold_the_same(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [work / f"out.{kind}" for kind in ("csv", "jsonl", "parquet")]
    assert [predict("photos", "--top", "2", "--output", str(file)) for file in files] == [1, 1, 1]
    first, *others = map(rows_of, files)
    assert others == [first, first] and len(first) == 6
    assert capsys.readouterr().out == "" and not list(work.glob("*.partial*"))


@pytest.mark.parametrize("kept", [2, 3.5, 6])
@pytest.mark.usefixtures("work")
def test_a_stopped_run_goes_on(kept: float, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of a run that was killed are kept, but for the last one that was cut."""
    predict("photos", "--output", "whole.jsonl")
    rows = Path("whole.jsonl").read_bytes().splitlines(keepends=True)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("darkroom.serving.sinks.write_table", stop)
        assert predict("photos", "--output", "out.jsonl") == 130
    partial = Path("out.jsonl.partial.jsonl")
    header, *lines = partial.read_bytes().splitlines(keepends=True)
    assert lines == rows
    rest = b"" if kept == int(kept) else lines[int(kept)][:9]
    changed = [line.replace(b'"score": 0.', b'"score": 1.') for line in lines[: int(kept)]]  # to be told from new ones
    partial.write_bytes(header + b"".join(changed) + rest)
    capsys.readouterr()
    assert predict("photos", "--output", "out.jsonl") == 1
    text = capsys.readouterr().err
    assert f"resumes after {int(kept)} pictures" in text and "6 pictures, 1 unreadable" in text
    assert Path("out.jsonl").read_bytes() == b"".join(changed + rows[int(kept) :]) and not partial.exists()


@pytest.mark.usefixtures("work")
def test_rows_of_other_options_are_not_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv.partial.jsonl").write_text('{"model": "another"}\n{"path": "photos/red.png"}\n')
    predict("photos/red.png", "--output", "out.csv")
    assert "other options or other paths; starts anew" in capsys.readouterr().err
    assert [row["label"] for row in rows_of(Path("out.csv"))] == ["red"]


def test_the_page_shows_each_picture_and_needs_nothing_else(work: Path) -> None:
    write_files(work / "photos", {"<b>.png": FILES["blue.png"]})
    assert predict("photos", "--output", "out.csv", "--html", "photos/page.html", "--explain") == 1
    page = read_page(work / "photos" / "page.html")
    pictures = [link for link in page.links if link.startswith("data:image/webp;base64,")]
    assert len(pictures) == 2 * 6 and all(link[0] == "#" for link in page.links if link not in pictures)
    text = " ".join(page.texts)
    assert "photos/<b>.png" in text and "not an image in a known format" in text and "abstains" in text
    assert not page.handlers and "http" not in text
    first = (work / "photos" / "page.html").read_bytes()
    assert predict("photos", "--output", "out.csv", "--html", "photos/page.html", "--explain") == 1
    assert (work / "photos" / "page.html").read_bytes() == first  # it is no input, and holds no time


def test_the_graph_of_a_bundle_draws_what_keras_draws(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, classes = work / "models" / "bundle", np.arange(6) % 3
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
@pytest.mark.usefixtures("work")
def test_a_mistake_is_one_line(words: list[str], model: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("names.csv").write_text("paths\na.png\n")
    Path("broken.zip").write_bytes(b"no archive")
    assert predict(*words, model=model) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("darkroom predict: ") and message in line


def test_the_champion_and_versions_come_from_the_store(
    work: Path, new_store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{shutil.copy(new_store, work)}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    shutil.copy(ROOT / "params.yaml", work)
    (work / "dvc.yaml").write_text("stages: {}\n")
    assert predict("photos/red.png", model="champion") == 1
    assert "has no champion yet; run `make repro` first" in capsys.readouterr().err
    client, name = MlflowClient(uri, uri), default_params().package.name
    client.create_registered_model(name)
    source = work / "mlruns" / "model"
    shutil.copytree(work / "models" / "bundle", source / "artifacts" / "bundle")
    client.create_model_version(name, source.as_uri())
    assert predict("photos/red.png", model="2") == 1
    assert capsys.readouterr().err.endswith("has no such version; there are: 1\n")
    client.set_registered_model_alias(name, "champion", "1")
    assert (predict("photos/red.png", model="champion"), predict("photos/red.png", model="1")) == (0, 0)
    first, second = (line for line in capsys.readouterr().out.splitlines() if line != HEADER)
    assert first == second and first.startswith("photos/red.png,red,")
    assert [path.name for path in (work / ".cache" / "scratch").iterdir()] == ["lock"]


@pytest.mark.usefixtures("work")
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
