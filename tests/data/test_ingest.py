from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.core.files import file_digest
from darkroom.core.tables import MANIFEST
from darkroom.images import known
from darkroom.images.convert import Depth
from darkroom.images.decode import inspect
from darkroom.images.packed import list_shards, read_pictures, read_thumbnails, shard_ids, shard_pictures
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.ingest import examine
from darkroom.ingest.ingest import FILES_PER_SHARD, check_classes, headline, shards, summarise
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_ingest_source
from darkroom.ingest.sources import write_digits
from import_graph import LIBRARY, imported_modules
from pictures import ANY, ROOT, class_files, encode, ingested, noise, write_files, write_tar, write_zip

DIGITS = ANY.model_copy(update={"source": "digits"})
FILES = class_files("cat", "dog") | {
    "cat/9 broken.jpg": encode(noise("x", 64), "JPEG")[:500],
    "dog/9 empty.png": b"",
    "dog/9 notes.txt": b"not a picture",
    "stray.png": encode(noise("stray")),
    ".DS_Store": b"junk",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "raw" / "pets", FILES)


def packed_bytes(images: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in images.iterdir()}


def test_the_manifest_has_its_columns_and_a_row_for_each_file(folder: Path, tmp_path: Path) -> None:
    manifest = ingested(folder, tmp_path / "images")
    assert dict(manifest.dtypes.astype(str)) == MANIFEST
    assert manifest["image_id"].is_monotonic_increasing and manifest["image_id"].is_unique
    assert set(manifest["path"]) == set(FILES) - {".DS_Store"}
    picture = manifest.set_index("path").loc["cat/1.png"]
    assert (picture["label"], picture["width"], picture["mode"], picture["format"]) == ("cat", 12, "RGB", "PNG")
    assert picture["bytes"] == len(FILES["cat/1.png"]) and pd.isna(picture["error"])
    assert len(picture["phash"]) == 16 and 0.4 < picture["brightness"] < 0.6 and not picture["greyscale"]
    assert len(picture["image_id"]) == 20


def test_what_is_no_picture_is_listed_with_the_reason(folder: Path, tmp_path: Path) -> None:
    manifest = ingested(folder, tmp_path / "images")
    errors = manifest.dropna(subset="error").set_index("path")["error"]
    assert errors["cat/9 broken.jpg"].startswith("cannot be decoded completely")
    assert errors["dog/9 empty.png"] == "is empty"
    assert errors["dog/9 notes.txt"] == "not an image in a known format"
    assert errors["stray.png"] == "not in a class folder"
    assert len(errors) == 4
    report = summarise(manifest, "pets", 1, {}, [])
    assert (report["pictures"], report["unreadable"], report["classes"]) == (6, 4, 2)
    assert "2 classes; 4 files are not readable pictures, see" in headline(report)
    assert "; 1 file is not a readable picture, see" in headline(report | {"unreadable": 1})


def test_the_packed_bytes_are_those_of_the_files(folder: Path, tmp_path: Path) -> None:
    manifest = ingested(folder, tmp_path / "images")
    pictures = manifest[manifest["error"].isna()]
    wanted = {name: FILES[path] for name, path in zip(pictures["image_id"], pictures["path"], strict=True)}
    assert read_pictures(tmp_path / "images", wanted) == wanted
    shard = list_shards(tmp_path / "images")[0]
    assert shard_ids(shard).tolist() == sorted(pictures["image_id"])
    assert len(list(shard_pictures(shard))) == len(pictures)
    with pytest.raises(KeyError, match="no such id"):
        read_pictures(tmp_path / "images", ["no such id"])


def test_thumbnails_are_found_by_id(folder: Path, tmp_path: Path) -> None:
    manifest = ingested(folder, tmp_path / "images")
    ids = manifest[manifest["error"].isna()]["image_id"].to_numpy(dtype=str)
    found = read_thumbnails(tmp_path / "images", ids)
    assert found.shape == (6, THUMBNAIL_BYTES) and len(np.unique(found, axis=0)) == 6
    assert np.array_equal(read_thumbnails(tmp_path / "images", ids[3:5]), found[3:5])
    assert len(read_thumbnails(tmp_path / "images", ids[:0])) == 0
    with pytest.raises(KeyError, match="no such id"):
        read_thumbnails(tmp_path / "images", np.array(["no such id"]))


def test_what_was_decoded_before_is_not_decoded_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ingested(folder, tmp_path / "images")
    write_files(folder, {"cat/new.png": encode(noise("new"))})
    decoded: list[bytes] = []

    def noted(data: bytes, depth: Depth) -> Any:
        decoded.append(data)
        return inspect(data, depth)

    monkeypatch.setattr(examine, "inspect", noted)
    second = ingested(folder, tmp_path / "images again")
    assert decoded == [encode(noise("new"))]
    pd.testing.assert_frame_equal(second[second["path"] != "cat/new.png"].reset_index(drop=True), first)


def test_the_memory_is_that_of_the_code_the_libraries_and_the_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known.known_facts(tmp_path, "auto")
    assert known.known_facts(tmp_path, 12) != before == known.known_facts(tmp_path, "auto")
    for name in ("numpy", "pillow", "simplejpeg"):
        monkeypatch.setattr(known, "version", lambda library, name=name: "0" if library == name else version(library))
        assert known.known_facts(tmp_path, "auto") != before
    behind = imported_modules(LIBRARY / "images/decode.py") | imported_modules(LIBRARY / "images/facts.py")
    files = {Path(str(module.__file__)).relative_to(ROOT).as_posix() for module in known.MODULES}
    assert files == behind | {"src/darkroom/images/decode.py", "src/darkroom/images/facts.py"}


def test_a_damaged_memory_only_costs_time(folder: Path, tmp_path: Path) -> None:
    first = ingested(folder, tmp_path / "images")
    (memory,) = (tmp_path / "cache" / "facts").glob("*.sqlite")
    for file in memory.parent.iterdir():
        file.unlink()
    memory.write_bytes(b"no database" * 1000)
    for name in ("again", "and again"):
        pd.testing.assert_frame_equal(ingested(folder, tmp_path / name), first)


def test_an_archive_gives_what_its_folder_gives(folder: Path, tmp_path: Path) -> None:
    plain = ingested(folder, tmp_path / "images")
    for file in (write_zip(folder, tmp_path / "pets.zip"), write_tar(folder, tmp_path / "pets.tgz", "gz")):
        images = tmp_path / f"images of {file.name}"
        pd.testing.assert_frame_equal(ingested(file, images), plain)
        assert packed_bytes(images) == packed_bytes(tmp_path / "images")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no files"),
        (class_files("cat"), "has only one class, 'cat'"),
        (class_files("cat") | class_files("dog", each=1), "class 'dog' has only one picture"),
        (
            {"cat/1.txt": b"text", "dog/1.txt": b""},
            "none of its 2 files is a readable picture (cat/1.txt: not an image",
        ),
        (class_files("cat") | {"dog/1.png": b"", "dog/2.png": b"x"}, "has only one class, 'cat'"),
    ],
)
def test_too_little_to_learn_from_is_said_in_one_line(tmp_path: Path, files: Any, said: str) -> None:
    manifest = ingested(write_files(tmp_path / "pets", files), tmp_path / "images")
    with pytest.raises(UserError) as caught:
        check_classes(manifest, "pets")
    assert str(caught.value).startswith("params.yaml: ingest.source = 'pets': ") and said in str(caught.value)
    assert "\n" not in str(caught.value) and caught.value.status == 2


@pytest.mark.parametrize("source", ["../elsewhere", "/etc", ".", "pets/../../x", "missing"])
def test_a_source_outside_or_missing_is_said(folder: Path, source: str) -> None:
    said = r"^params.yaml: ingest.source = '.*': (must be a path|missing does not exist)"
    with (
        pytest.raises(UserError, match=said),
        open_ingest_source(ANY.model_copy(update={"source": source}), folder.parent),
    ):
        pass


def test_the_digits_are_built_in(tmp_path: Path) -> None:
    write_digits(tmp_path)
    with open_ingest_source(DIGITS, tmp_path / "nothing") as source:
        entries, system_files = list_entries(source, DIGITS)
        assert (len(entries), {entry.label for entry in entries}, system_files) == (1797, set("0123456789"), 0)
        assert source.read("3/0003.png") == (tmp_path / "3" / "0003.png").read_bytes()


def test_a_file_of_another_format_than_its_suffix_says_is_used_and_named(tmp_path: Path) -> None:
    files = class_files("cat", "dog") | {"cat/a.jpg": encode(noise("a")), "dog/b.JPG": encode(noise("b"), "JPEG")}
    report = summarise(ingested(write_files(tmp_path / "pets", files), tmp_path / "images"), "pets", 0, {}, [])
    assert (report["pictures"], report["wrong_suffix"]) == (8, 1)
    assert report["wrong_suffix_paths"] == ["cat/a.jpg is PNG"]
    assert "; 1 has a suffix of another format, see" in headline(report)


def test_new_files_change_few_packs() -> None:
    names = [f"{label}/{number:04}.png" for label in ("cat", "dog") for number in range(6000)]
    entries = [Entry(name, 500) for name in names]
    before = {tuple(entry.path for entry in shard) for shard in shards(entries)}
    after = {tuple(entry.path for entry in shard) for shard in shards([Entry("ape/1.png", 500), *entries])}
    assert len(before) > 6 and max(map(len, before)) <= 2 * FILES_PER_SHARD
    assert len(after - before) <= 3
