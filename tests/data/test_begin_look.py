"""What `darkroom begin` sees of a data set."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest

from darkroom.begin import sample, table_names
from darkroom.begin.facts import Facts, Proposal
from darkroom.begin.look import look
from darkroom.core.errors import UserError
from darkroom.images.decode import decode
from darkroom.ingest.ingest import check_classes, summarise
from darkroom.params.editing import edit_params
from pictures import ROOT, class_files, encode, ingested, inside, noise, write_files, write_zip


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "dvc.yaml").touch()
    with inside(tmp_path):
        yield tmp_path


def seen(root: Path, files: dict[str, bytes], kind: str = "folder") -> tuple[Facts, list[Proposal]]:
    folder = write_files(root / "data/raw/pets", files)
    if kind == "folder":
        return look(root, "pets")
    write_zip(folder, root / "data/raw/pets.zip")
    return look(root, "pets.zip")


def set_params(root: Path, **sections: dict[str, Any]) -> None:
    shutil.copy(ROOT / "params.yaml", root)
    edit_params(root / "params.yaml", [sections], "test")


def shaped(width: int, height: int, mode: str = "RGB", kind: str = "PNG") -> bytes:
    return encode(noise(f"{width}{height}{mode}", 200).resize((width, height)).convert(mode), kind)


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_sizes_colours_and_splits(root: Path, kind: str) -> None:
    files = {
        f"train/{label}/{n}.jpg": shaped(120, 100, "L" if n < 1 else "RGB", "JPEG") for label in "ab" for n in range(4)
    }
    files |= {f"test/{label}/{n}.png": shaped(50, 80) for label in "ab" for n in range(2)}
    facts, proposals = seen(root, files, kind)
    assert (facts.classes, facts.splits) == ({"a": 6, "b": 6}, {"test": 4, "train": 8})
    assert (facts.smallest_side, facts.short_sides, facts.aspect) == (50, (50, 100, 100), 1.2)
    assert facts.grey == 2 / 12 and facts.pictures == 12
    assert [(one.key, one.value) for one in proposals] == [("validate.min_per_class", "6")]


ODD = {
    "cat/notes.txt": b"text",
    "cat/broken.png": encode(noise("x", 40))[:900],
    "dog/list.xml": b"<a/>",
    "dog/empty.png": b"",
    "stray.png": encode(noise("stray")),
}


def test_it_counts_and_refuses_what_ingest_counts_and_refuses(root: Path, tmp_path: Path) -> None:
    facts, proposals = seen(root, class_files("cat", "dog", each=10) | ODD)
    report = summarise(ingested(root / "data/raw/pets", tmp_path / "images"), "pets", 0, {}, [])
    assert facts.unreadable == pytest.approx(report["unreadable"] / 25, abs=0.01)
    assert facts.classes == {"cat": 11, "dog": 10}  # broken.png has a good header
    assert [proposal.key for proposal in proposals] == ["validate.max_unreadable"]
    assert facts.unreadable_because in proposals[0].reason


@pytest.mark.parametrize(
    "files", [class_files("cat"), class_files("cat", "dog", each=2) | {"ox/1.png": encode(noise("o"))}]
)
def test_too_few_classes_or_pictures_are_said_as_ingest_says_it(root: Path, files: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        seen(root, files)
    with pytest.raises(UserError) as by_ingest:
        check_classes(ingested(root / "data/raw/pets", tmp_path / "images"), "pets")
    assert str(refused.value).partition(" has ")[2] in str(by_ingest.value)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no files"),
        ({"a/1.txt": b"x", "b/1.txt": b"y"}, r"none of its 2 files is a picture \(a/1.txt: not an image"),
        ({"1.png": b"x"}, "put the pictures of each class into a folder of its name"),
        ({"1.png": b"x", "labels.csv": b"x"}, "begin with .*/pets/labels.csv"),
        (
            {"a/1.png": encode(noise("a")), "b/1.png": encode(noise("b"))},
            r"add more, or leave the class out \(ingest.labels",
        ),
        ({"pets.zip": b"x"}, "begin with .*/pets/pets.zip"),
    ],
)
def test_a_folder_without_pictures_is_one_line(root: Path, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        seen(root, files)
    assert refused.value.status == 2 and "\n" not in str(refused.value)


def test_a_sample_is_spread_over_all_files_and_small_classes_are_read_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "HEADERS", 5)
    picture = encode(noise("x"))
    files = {f"big/{n:03d}.png": picture for n in range(60)} | {"small/1.png": picture, "small/2.png": b"x"}
    with pytest.raises(UserError, match="class 'small' has only one picture"):
        seen(root, files)
    facts, _ = seen(root, {"small/3.png": picture})
    assert facts.classes == {"big": 60, "small": 2}


def test_headers_of_large_files_are_read_without_the_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "DECODED", 1)  # one picture's pixels
    decoded = Mock(wraps=decode)
    monkeypatch.setattr(sample, "decode", decoded)
    monkeypatch.setattr(sample, "HEADER_BYTES", 2000)
    files = {f"{label}/{n}.jpg": shaped(200, 150, kind="JPEG") for label in "ab" for n in range(30)}
    facts, _ = seen(root, files)
    assert decoded.call_count == 1 and facts.short_sides == (150, 150, 150)
    assert seen(root, {}, "zip")[0].short_sides == (150, 150, 150)


def test_patients_in_file_names_and_in_a_column_are_proposed(root: Path) -> None:
    files = {f"{'ab'[n % 2]}/patient{n}_{k}.png": encode(noise(f"{n}{k}")) for n in range(20) for k in range(2)}
    assert [(one.key, one.value) for one in seen(root, files)[1]] == [("dedupe.group_by", r"(?:^|/)(patient\d+)_")]
    rows = [f"pets/{name}\t{name[0]}\t{name.split('_')[0]}\t1" for name in files]
    (root / "data/raw/pets.csv").write_text("\n".join(["Image\tdiagnosis\tPatient ID\tset", *rows]))
    facts, proposals = look(root, "pets.csv")
    assert [(one.key, one.value) for one in proposals] == [("ingest.columns.group", "Patient ID")]
    assert (facts.columns["path"], facts.columns["label"], facts.columns["split"]) == ("Image", "diagnosis", "")


def test_a_table_whose_columns_say_nothing_is_one_line(root: Path) -> None:
    (root / "data/raw").mkdir(parents=True)
    (root / "data/raw/t.csv").write_text("image,x,z\na.png,1,2\n")
    with pytest.raises(
        UserError, match=r"has no column for their labels; rename it to label \(its columns: image, x, z\)"
    ):
        look(root, "t.csv")
    (root / "data/raw/t.parquet").write_bytes(b"x")
    with pytest.raises(UserError, match="cannot be read as a table"):
        look(root, "t.parquet")
    pd.DataFrame({"file_name": ["a.png"], "label": ["a"]}).to_parquet(root / "data/raw/u.parquet")
    with pytest.raises(UserError, match=r"none of its 1 files can be used \(a.png: there is no such file"):
        look(root, "u.parquet")
    (root / "data/raw/v.csv").write_text("path,label\n/x/a.png,a\n")
    with pytest.raises(UserError, match=r"\(/x/a.png: is an absolute path; give it relative to the table\)$"):
        look(root, "v.csv")


def test_labels_that_are_set_for_the_source_count(root: Path) -> None:
    set_params(root, ingest={"source": "pets", "labels": {"c": None, "d": "a"}})
    files = class_files("a", "b", "d", each=10) | class_files("c", each=1) | {"c/x.txt": b""}
    facts, proposals = seen(root, files)
    assert (facts.classes, facts.unreadable, proposals) == ({"a": 20, "b": 10}, 0.0, [])
    shutil.move(root / "data/raw/pets", root / "data/raw/cats")
    with pytest.raises(UserError, match="class 'c' has only one picture"):
        look(root, "cats")


def test_a_limit_that_is_set_for_the_source_counts(root: Path) -> None:
    files = class_files("a", "b", each=10) | {f"a/{n}.txt": b"x" for n in range(5)}
    assert [(one.key, one.value) for one in seen(root, files)[1]] == [("validate.max_unreadable", "0.21")]
    set_params(root, ingest={"source": "pets"}, validate={"max_unreadable": 0.25})
    assert seen(root, files)[1] == []


def test_feedback_on_other_classes_is_proposed_to_be_left_out(root: Path) -> None:
    files = class_files("a", "b", each=10)
    write_files(root / "data/feedback", {"a/1.png": b"x", ".hidden/2.png": b"x", "feedback.csv": b"path"})
    assert seen(root, files)[1] == []
    write_files(root / "data/feedback", {"3/1.png": b"x"})
    (proposal,) = seen(root, files)[1]
    assert (proposal.key, proposal.value) == ("ingest.feedback", "false") and "of 3," in proposal.reason


def test_a_file_without_the_right_to_read_it_is_said_to_be_that(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Mock(side_effect=PermissionError(errno.EACCES, "Permission denied"))
    monkeypatch.setattr(table_names, "header", refuse)  # the user root, who may run this, reads any file
    with pytest.raises(UserError, match=r"t.csv: Permission denied; give this user the right to read it"):
        table_names.column_names(root / "t.csv")
    monkeypatch.setattr("PIL.Image.open", refuse)
    with pytest.raises(UserError, match=r"none of its 2 files is a picture \(a/1.png: Permission denied\)"):
        seen(root, {"a/1.png": b"x", "b/1.png": b"x"})
