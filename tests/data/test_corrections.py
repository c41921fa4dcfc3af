import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.core.tables import LEFT_OUT
from darkroom.ingest.corrections import correct, read_corrections
from darkroom.ingest.ingest import headline, summarise
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_ingest_source, open_source
from darkroom.params.data import Columns
from pictures import ANY, ROOT, class_files, encode, inside, noise, packed, write_files

LABELS = ["path", "label", "error"]


def read(tmp_path: Path, text: str) -> dict[str, str]:
    file = tmp_path / "corrections.csv"
    file.write_bytes(text.encode())
    return read_corrections(file)


def corrected(folder: Path, images: Path, corrections: dict[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the manifest of a folder after corrections, by image_id, and the unknown paths."""
    with open_source(folder, "test") as source, ThreadPoolExecutor(1) as pool:
        entries, _ = list_entries(source, ANY)
        unknown = correct(entries, corrections)
        return packed(source, entries, images, images.parent / "cache", pool).set_index("image_id"), unknown


def test_the_file_of_the_repository_corrects_nothing() -> None:
    assert read_corrections(ROOT / "data" / "corrections.csv") == {}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_add_is_taken_off(tmp_path: Path, separator: str) -> None:
    rows = [" label ,path,note", "dog , cat/1.png,", '"",cat/2.png,odd', "cat,a b.png", ",,", " dog,cat/1.png,again"]
    text = "\ufeff" + "\r\n".join(row.replace(",", separator) for row in rows)
    assert read(tmp_path, text) == {"cat/1.png": "dog", "cat/2.png": "", "a b.png": "cat"}


def test_corrections_change_labels_and_nothing_else(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "pets", class_files("cat", "dog") | {"cat/é.png": encode(noise("é"))})
    before, _ = corrected(folder, tmp_path / "before", {})
    changes = {"cat/é.png": "dog", "dog/2.png": "", "ape/1.png": "dog"}
    after, unknown = corrected(folder, tmp_path / "after", changes)
    assert unknown == ["ape/1.png"]
    moved, left_out = before["path"] == "cat/é.png", before["path"] == "dog/2.png"
    pd.testing.assert_frame_equal(after[~moved & ~left_out], before[~moved & ~left_out])
    pd.testing.assert_frame_equal(after[moved], before[moved].assign(label="dog"))
    assert after.loc[left_out, LABELS].fillna("").to_numpy().tolist() == [["dog/2.png", "", LEFT_OUT]]
    report = summarise(after.reset_index(), "pets", 0, changes, unknown)
    assert report["corrections"] == {"applied": 2, "unknown": 1, "unknown_paths": ["ape/1.png"]}
    assert (report["pictures"], report["left_out"], report["pictures_per_class"]) == (6, 1, {"cat": 3, "dog": 3})
    said = "; 2 corrected by data/corrections.csv; corrections for no picture of the source: 1, the first ape/1.png"
    assert said in headline(report)


def test_what_ingest_labels_leaves_out_stays_out() -> None:
    entries = [Entry("cat/1.png", label="cat"), Entry("sky/1.png", error=LEFT_OUT, refused=True)]
    assert correct(entries, {"sky/1.png": "cat"}) == ["sky/1.png"]
    assert entries[1].label is None and entries[1].error == LEFT_OUT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column 'path'; its first line must be path,label"),
        ("path,lable\na,b\n", "has no column 'label'; its first line must be path,label"),
        ("path,label,path\na,b,c\n", "has several columns 'path'"),
        ("path,label\na,b\nc,d\na,d\n", "line 4: a is 'd' here, 'b' above; keep one of them"),
        ("path,label\n ,dog\n", "line 2: has no path"),
    ],
)
def test_mistakes_in_the_file_are_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith("data/corrections.csv") and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_that_no_other_picture_has_is_refused_with_the_nearest() -> None:
    entries = [Entry("1.png", label="cat"), Entry("2.png", label="dog")]
    with pytest.raises(UserError, match=r"1\.png gets the label 'dgo', which no other picture has; did you mean dog\?"):
        correct(entries, {"1.png": "dgo"})


def test_attributes_of_a_table_reach_the_manifest(tmp_path: Path) -> None:
    raw = write_files(tmp_path / "data" / "raw", {**class_files("a", each=2), "dvc.yaml": b""})
    (raw / "t.csv").write_text("path,label,site, year \na/0.png,cat,Ulm ,2019\na/1.png,dog,,\n")
    columns = Columns(path="path", label="label", split="", group="", attributes=["year", "site"])
    params = ANY.model_copy(update={"source": "t.csv", "columns": columns})
    with inside(raw), open_ingest_source(params, raw) as source, ThreadPoolExecutor(1) as pool:
        entries, _ = list_entries(source, params)
        manifest = packed(source, entries, tmp_path / "images", tmp_path / "cache", pool)
    found = manifest.set_index("path")["attributes"]
    assert found["a/0.png"] == '{"site": "Ulm", "year": "2019"}' and pd.isna(found["a/1.png"])
    assert json.loads(found["a/0.png"])["year"] == "2019"


def test_an_attribute_that_the_table_has_not_is_said(tmp_path: Path) -> None:
    raw = write_files(tmp_path, {"t.csv": b"path,label,site\na,b,c\n"})
    columns = Columns(path="path", label="label", split="", group="", attributes=["stie"])
    params = ANY.model_copy(update={"source": "t.csv", "columns": columns})
    said = r"t\.csv has no column 'stie' \(ingest\.columns\.attributes\); did you mean site\?"
    with inside(raw), open_ingest_source(params, raw) as source, pytest.raises(UserError, match=said):
        list_entries(source, params)
