import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.core.tables import LEFT_OUT
from darkroom.ingest.layout import Entry, is_system_file, read_layout, relabel

NAMES = st.sampled_from(
    ["cat", "dog", "train", "Test", "val", "Validation", "a b", "猫", "1.png", ".hidden", "train.png"]
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=5).map("/".join), unique=True, max_size=12)


def layout(*paths: str) -> list[Entry]:
    return read_layout([Entry(path, 7) for path in paths])


def meaning(*paths: str) -> list[tuple[str | None, str | None]]:
    """Return (label, given_split) of each path."""
    return [(entry.label, entry.given_split) for entry in layout(*paths)]


def test_class_folders() -> None:
    assert meaning("cat/1.png", "dog/2.png", "dog/deep/below/3.png") == [("cat", None), ("dog", None), ("dog", None)]


@pytest.mark.parametrize(("folder", "split"), [("test", "test"), ("TESTING", "test"), ("val", "validation")])
def test_split_folders(folder: str, split: str) -> None:
    found = meaning("train/cat/1.png", f"{folder}/cat/2.png", f"{folder}/dog/x/3.png", "Training/dog/4.png")
    assert found == [("cat", "train"), ("cat", split), ("dog", split), ("dog", "train")]


def test_all_three_splits() -> None:
    paths = [f"{split}/{label}/1.png" for split in ("test", "train", "valid") for label in ("cat", "dog")]
    assert [split for _, split in meaning(*paths)] == ["test"] * 2 + ["train"] * 2 + ["validation"] * 2


def test_classes_named_train_and_bus_are_classes() -> None:
    assert meaning("train/1.png", "bus/2.png") == [("train", None), ("bus", None)]
    assert meaning("train/1/1.png", "train/2/1.png", "bus/1/2.png", "bus/2/2.png") == [
        ("train", None),
        ("train", None),
        ("bus", None),
        ("bus", None),
    ]


def test_a_single_top_folder_is_passed_over() -> None:
    assert meaning("photos/cat/1.png", "photos/dog/2.png") == [("cat", None), ("dog", None)]
    assert meaning("a/b/train/cat/1.png", "a/b/test/cat/2.png") == [("cat", "train"), ("cat", "test")]
    assert meaning("photos/cat/1.png", "photos/dog/2.png", "README.txt")[:2] == [("cat", None), ("dog", None)]


def test_files_outside_class_folders_have_a_reason() -> None:
    stray, _, _ = layout("read me.txt", "cat/1.png", "dog/2.png")
    assert (stray.label, stray.error) == (None, "not in a class folder")
    shallow, other, *_ = layout("train/1.png", "extra/cat/2.png", "train/cat/3.png", "test/cat/4.png")
    assert (shallow.label, shallow.error) == (None, "not in a class folder")
    assert (other.label, other.given_split, other.error) == (None, None, "not in test, train")


@pytest.mark.parametrize(
    "path",
    [
        *("cat/.DS_Store", "Thumbs.db", "a/desktop.ini", "__MACOSX/cat/1.png", "cat/._1.png", "cat/.hidden.png"),
        *(".git/config", "a/.dvc/x.png", "pets.dvc", ".gitignore", "@eaDir/1.png", "a/$RECYCLE.BIN/1.png"),
    ],
)
def test_what_systems_leave_is_known(path: Any) -> None:
    assert is_system_file(path)


@pytest.mark.parametrize(
    "path",
    ["cat/1.png", "cat/_1.png", "ds_store/1.png", "../1.png", "./a/1.png", "thumbs/db", "a.dvc/1.png", "cat/a.b..png"],
)
def test_what_people_put_there_is_not(path: str) -> None:
    assert not is_system_file(path)


@given(PATHS)
def test_every_file_has_one_entry_in_order_with_a_label_or_a_reason(paths: Any) -> None:
    entries = read_layout([Entry(path, number) for number, path in enumerate(paths)])
    assert [(entry.size, entry.path) for entry in entries] == list(enumerate(paths))
    for entry in entries:
        folders = entry.path.split("/")[:-1]
        assert (entry.label is None) == (entry.error is not None)
        assert entry.label is None or entry.label in folders
        assert entry.given_split in (None, "train", "validation", "test")
        assert entry.given_split is None or entry.label is not None


@given(PATHS)
def test_the_order_of_files_does_not_matter(paths: Any) -> None:
    assert sorted(layout(*paths), key=lambda entry: entry.path) == layout(*sorted(paths))


def test_labels_rename_join_and_leave_out() -> None:
    entries = read_layout([Entry(f"{folder}/1.png", 9) for folder in ("cane", "gatto", "sfondo", "volpino")])
    cane, gatto, sfondo, volpino = relabel(entries, {"cane": "dog", "volpino": "dog", "sfondo": None})
    assert [entry.label for entry in (cane, gatto, sfondo, volpino)] == ["dog", "gatto", None, "dog"]
    assert (sfondo.error, sfondo.refused) == (LEFT_OUT, True)


def test_a_name_is_the_same_label_however_its_accents_are_stored() -> None:
    stored = [unicodedata.normalize(form, f"Zürich café/{form}.png") for form in ("NFC", "NFD")]
    entries = layout(*stored, "猫 と 犬/1.png")
    assert [entry.label for entry in entries] == ["Zürich café", "Zürich café", "猫 と 犬"]
    relabel(entries, {unicodedata.normalize("NFD", "Zürich café"): "town"})
    assert [(entry.path, entry.label) for entry in entries[:2]] == [(stored[0], "town"), (stored[1], "town")]


def test_a_label_for_a_folder_that_is_not_there_names_the_nearest() -> None:
    entries = read_layout([Entry("cane/1.png", 9), Entry("gatto/1.png", 9)])
    with pytest.raises(UserError, match=r"ingest\.labels\.gato: no such class folder; did you mean gatto\?"):
        relabel(entries, {"gato": "cat"})


def test_a_flat_test_folder_beside_train_is_no_class() -> None:
    entries = layout("train/cat/1.png", "train/dog/1.png", "test/1.png")
    assert [(entry.label, entry.given_split) for entry in entries] == [("cat", "train"), ("dog", "train"), (None, None)]
    assert entries[2].error == "not in a class folder"
