"""`darkroom predict` with a network that answers with the mean colours: paths in, rows out."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from darkroom.serving.bundles import load_served
from pictures import write_files, write_tar, write_zip
from predicting import FILES, HEADER, predict


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.usefixtures("photo_folder")
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


@pytest.mark.usefixtures("photo_folder")
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


def test_inputs_of_all_kinds(
    photo_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(photo_folder / "some", {"b/green.png": FILES["green.png"], "a.png": FILES["red.png"]})
    write_zip(photo_folder / "some", photo_folder / "some.zip")
    write_tar(photo_folder / "some", photo_folder / "some.tgz", "gz")
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


def test_the_formats_hold_the_same(photo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [photo_folder / f"out.{kind}" for kind in ("csv", "jsonl", "parquet")]
    assert [predict("photos", "--top", "2", "--output", str(file)) for file in files] == [1, 1, 1]
    first, *others = map(rows_of, files)
    assert others == [first, first] and len(first) == 6
    assert capsys.readouterr().out == "" and not list(photo_folder.glob("*.partial*"))


@pytest.mark.parametrize("kept", [2, 3.5, 6])
@pytest.mark.usefixtures("photo_folder")
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


@pytest.mark.usefixtures("photo_folder")
def test_rows_of_other_options_are_not_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv.partial.jsonl").write_text('{"model": "another"}\n{"path": "photos/red.png"}\n')
    predict("photos/red.png", "--output", "out.csv")
    assert "other options or other paths; starts anew" in capsys.readouterr().err
    assert [row["label"] for row in rows_of(Path("out.csv"))] == ["red"]
