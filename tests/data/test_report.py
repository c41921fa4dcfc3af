import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from darkroom.core.tables import CURATED, MANIFEST
from darkroom.curation.issues import find_issues
from darkroom.params.data import Issues
from darkroom.split.data_report import DataReport, write_data_report
from darkroom.split.feedback import SPLIT
from darkroom.split.sheets import reason_kept
from page_reader import read_page
from pictures import encode, ingested, manifest_of, noise, numbered, pictures_of, write_files

LIMITS = Issues(dark=0.2, bright=0.8, blurred=50.0, low_information=2.0, odd_size=5.0, odd_aspect=3.0, greyscale=0.25)
HOSTILE = '<script>alert("1")</script>'
LONG = "long" * 50
REPORTS: dict[str, dict[str, Any]] = {
    "validate": {
        "checks": [
            {"name": "expect_column_to_exist", "about": "path of files", "success": True, "observed": None},
            {"name": "expect_x", "about": HOSTILE, "success": False, "observed": 3, "severity": "warn"},
        ],
        "drift": ["mean brightness: 0.4, accepted 0.7"],
    },
    "split": {"naive_leak": 1234, "deviation": 0.0123, "digest": "5e" * 32},
}


def with_manifest(manifest: pd.DataFrame, curated: pd.DataFrame, splits: pd.DataFrame, images: Path) -> DataReport:
    """Return the report's data; `curated` and `splits` are by row number."""
    pictures = pictures_of(manifest)
    issues = find_issues(pictures, curated, LIMITS)
    return DataReport(pictures, curated, issues.__getitem__, splits, images, REPORTS, "auto")


def manifest_in(data: DataReport) -> pd.DataFrame:
    return pd.concat(data.pictures.parts(list(MANIFEST)))


def data_of(source: Path, images: Path) -> DataReport:
    """Return the report's data: equal pictures are duplicates or conflicts, every third one is test."""
    manifest = ingested(source, images)
    pictures = manifest[manifest["error"].isna()].sort_values("path")
    first = pictures.groupby("sha256")["image_id"].transform("first")
    conflict = pictures.groupby("sha256")["label"].transform("nunique") > 1
    nothing = np.array(None)
    reason = np.where(conflict, "label conflict", np.where(first != pictures["image_id"], "exact duplicate", nothing))
    curated = pictures[["image_id", "label"]].assign(
        duplicate_id=first, group_id=first, reason=reason, keep=pd.isna(reason), weight=1.0
    )
    curated = curated[list(CURATED)].astype(CURATED).sort_values("image_id", ignore_index=True)
    rows = numbered(curated, manifest.set_index("image_id")["given_split"])
    splits = rows.loc[rows["keep"], ["label", "reason"]]
    splits["split"] = pd.Categorical(np.where(np.arange(len(splits)) % 3, "train", "test"), dtype=SPLIT)
    return with_manifest(manifest, rows, splits, images)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataReport:
    """Pictures of hostile names: 9 different ones, 2 twice under one label, 1 under two, 2 that are none."""
    names = [f"{label}/{number}.png" for label in ("&amp; 'é' 猫", "plain", LONG) for number in range(3)]
    files = {name: encode(noise(name, 12 + 20 * (number % 3))) for number, name in enumerate(names)}
    files |= {f'plain/"> <img src=x onerror=alert(1)>{n}.png': files["plain/0.png"] for n in range(2)}
    files["plain/same.png"] = files[f"{LONG}/0.png"]
    files |= {"plain/black.png": encode(Image.new("RGB", (400, 10))), f"plain/{LONG}.png": b"", "plain/b.png": b"no"}
    folder = tmp_path_factory.mktemp("report")
    return data_of(write_files(folder / "source", files), folder / "images")


@pytest.fixture(scope="module")
def written(data: DataReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "data.html"
    write_data_report(path, data)
    return path


def test_page_is_well_formed_and_needs_nothing_else(written: Path) -> None:
    reader = read_page(written)
    assert {link.split(",")[0].split("#")[0] for link in reader.links} == {"", "data:image/webp;base64"}
    assert not re.search(r"https?://|@import|url\(", written.read_text("utf-8"))
    assert {"link", "iframe", "object"}.isdisjoint(reader.tags)


def test_texts_from_the_data_are_escaped(written: Path) -> None:
    reader = read_page(written)
    assert reader.tags.count("script") == 1
    assert not reader.handlers
    assert HOSTILE in reader.texts
    assert any('"> <img src=x onerror=alert(1)>1.png' in text for text in reader.texts)
    assert any("&amp; 'é' 猫" in text for text in reader.texts)
    assert any(LONG in text for text in reader.texts)


def test_same_data_gives_the_same_bytes_in_any_order_of_rows(data: DataReport, written: Path, tmp_path: Path) -> None:
    turned = pictures_of(manifest_in(data).iloc[::-1].reset_index(drop=True))
    write_data_report(tmp_path / "again.html", replace(data, pictures=turned))
    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_tiles_say_the_counts(written: Path) -> None:
    tiles = re.findall(r"<b>([^<]*)</b><span>([^<]*)</span>", written.read_text("utf-8"))
    assert {name: value for value, name in tiles} == {
        "pictures": "13",
        "classes": "3",
        "unreadable files": "2",
        "duplicates dropped": "2",
        "label conflicts": "2",
        "flagged pictures": "7",  # three of a kind, two in conflict, the black one, and one more that is small
        "prevented leaks": "1,234",
        "deviation of the shares": "1.2 %",
    }


def test_page_shows_groups_checks_and_reasons(written: Path) -> None:
    text = " ".join(" ".join(read_page(written).texts).split())
    for part in ("1 of 2 expectations passed", "mean brightness: 0.4, accepted 0.7", "is empty"):
        assert part in text
    assert "kept: first by path" in text
    assert "low information 1 flagged" in text and "None: bright" in text
    assert "brightest 0.00" in text
    assert "The same picture with several labels" in text
    assert "Across the given splits" not in text


def test_name_and_digests_stand_at_the_top(data: DataReport, written: Path, tmp_path: Path) -> None:
    assert "Data set" not in written.read_text("utf-8")
    write_data_report(tmp_path / "x.html", replace(data, name="<cats>.zip", digest="da" * 32))
    text = " ".join(" ".join(read_page(tmp_path / "x.html").texts).split())
    assert f"Data set <cats>.zip · data {'da' * 6} · split {'5e' * 6}" in text


def test_what_all_pictures_share_is_said_once(tmp_path: Path) -> None:
    files = {f"{label}/{n}.png": encode(noise(f"{label}{n}", 8)) for label in "ab" for n in range(3)}
    write_data_report(tmp_path / "x.html", data_of(write_files(tmp_path / "source", files), tmp_path / "images"))
    html = (tmp_path / "x.html").read_text("utf-8")
    text = " ".join(" ".join(read_page(tmp_path / "x.html").texts).split())
    assert "All pictures are 8 x 8 pixels, PNG, mode RGB, upright as stored." in text
    assert "width 8, height 8, format PNG, mode RGB, orientation 1, palette none" in text
    assert "Width and height" not in text and "Shape" not in text and "Brightness" in text
    headings = re.findall(r'<th scope="col"[^>]*>(\w+)', html)
    assert headings[headings.index("Picture") :] == ["Picture", "Path", "Label", "Split", "Bytes", "Hash"]
    assert "None: unreadable files, duplicates dropped, label conflicts" in text
    assert len(re.findall('<img class="small tiny"', html)) == len(files)


def test_duplicates_across_given_splits_have_a_part_of_their_own(tmp_path: Path) -> None:
    files = {f"{split}/{label}/{label}{n}.png": encode(noise(f"{label}{n}")) for split in ("train", "test")
             for label in "ab" for n in range(3)}  # fmt: skip
    write_data_report(tmp_path / "x.html", data_of(write_files(tmp_path / "source", files), tmp_path / "images"))
    text = " ".join(" ".join(read_page(tmp_path / "x.html").texts).split())
    assert "Across the given splits" in text
    assert "6 groups" in text
    assert "given split: test" in text


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{"given_split": "test"}, {"given_split": "train", "width": 99}], ": in the given test split"),
        ([{"given_split": "test", "width": 50}, {"given_split": "test"}, {"given_split": "train"}], ": largest"),
        ([{"width": 50, "bytes": 200}, {"width": 50}, {"bytes": 900}], ": most bytes"),
        ([{}, {}, {"width": 5}], ": first by path"),
        ([{"path": "9.png"}, {}, {"width": 5}], ""),
    ],
)
def test_the_criterion_that_decides_which_picture_is_kept(rows: list[dict[str, Any]], why: str) -> None:
    assert reason_kept(manifest_of(rows)) == why


def test_many_pictures_and_classes_are_cut_and_said(
    data: DataReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.split.picture_table.ROWS", 5)
    monkeypatch.setattr("darkroom.split.data_summary.CLASSES", 2)
    write_data_report(tmp_path / "x.html", data)
    text = " ".join(" ".join(read_page(tmp_path / "x.html").texts).split())
    assert "The 5 pictures with the worst scores of 13" in text
    assert "and 1 more with 3 pictures each, 3 in total" in text


def test_without_reports_facts_and_duplicates_the_page_still_reads(data: DataReport, tmp_path: Path) -> None:
    facts = ["brightness", "contrast", "sharpness", "entropy", "brightest", "darkest"]
    manifest = manifest_in(data).assign(**dict.fromkeys(facts, np.nan)).astype(MANIFEST)
    bare = with_manifest(manifest, data.curated, data.splits, data.images)
    write_data_report(tmp_path / "x.html", replace(bare, reports={}))
    texts = read_page(tmp_path / "x.html").texts
    assert "Width and height" in texts
    assert "Brightness" not in texts
    assert "There is no report of the checks." in " ".join(texts)
