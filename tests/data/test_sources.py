import contextlib
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.ingest.archives import read_at
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_ingest_source, open_source
from darkroom.ingest.sources import Folder
from pictures import ANY, write_files, write_tar, write_zip

FILES = {
    "cat/one two.png": b"first",
    "cat/ümläut 猫.png": b"second" * 1000,
    "dog/deep/below/кот.jpg": b"third",
    "dog/empty.png": b"",
    "read me.txt": b"text",
}
KINDS = ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = write_files(tmp_path / "pictures", FILES)
    (root / "an empty folder").mkdir()
    return root


def packed(folder: Path, kind: str) -> Path:
    """Return `folder` as it is, or packed beside it."""
    if kind == "folder":
        return folder
    file = folder.with_name(f"data.{kind}")
    return write_zip(folder, file) if kind == "zip" else write_tar(folder, file, kind.removeprefix("tar").lstrip("."))


def entries_of(path: Path) -> list[Entry]:
    with open_source(path, "here") as source:
        return list_entries(source, ANY)[0]


def contents(path: Path) -> dict[str, bytes]:
    """Return {path: bytes} of a source, each file read by a copy of the source as a worker gets it."""
    with open_source(path, "here") as source:
        copy = pickle.loads(pickle.dumps(source))
        assert len(pickle.dumps(source)) < 1000
        return {entry.path: copy.read(entry.location) for entry in reversed(list_entries(source, ANY)[0])}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_holds_the_same_files(folder: Path, kind: str) -> None:
    path = packed(folder, kind)
    assert contents(path) == FILES
    found = entries_of(path)
    assert [(entry.path, entry.size) for entry in found] == sorted((name, len(data)) for name, data in FILES.items())


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_suffix_does_not_matter(folder: Path, kind: str) -> None:
    assert contents(packed(folder, kind).rename(folder.with_name("download"))) == FILES


def test_a_tar_made_with_a_dot_in_front_has_the_same_names(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "dotted.tar", "w") as archive:
        archive.add(folder, ".")
    assert contents(tmp_path / "dotted.tar") == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_is_read_as_zipfile_reads_it_with_something_before_and_behind_it(tmp_path: Path, method: Any) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, data in FILES.items():
            with archive.open(name, "w", force_zip64=name.startswith("dog")) as file:
                file.write(data)
        archive.comment = b"taken in " + bytes(500)
    (tmp_path / "b.zip").write_bytes(b"a program that unpacks it" * 100 + (tmp_path / "a.zip").read_bytes())
    assert contents(tmp_path / "a.zip") == contents(tmp_path / "b.zip") == FILES


def test_a_zip_of_more_than_65535_files_is_read_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(65_600):
            archive.writestr(f"{number % 7}/{number}.png", b"x")
    assert len(entries_of(tmp_path / "many.zip")) == 65_600


def test_linked_folders_are_followed_and_what_is_no_file_has_a_reason(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "cat").symlink_to(folder / "cat")
    (tmp_path / "linked" / "gone.png").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "linked" / "pipe.png")
    source = Folder(tmp_path / "linked")
    found = {entry.path: entry.error for entry in list_entries(source, ANY)[0] if entry.refused}
    assert found == {"gone.png": "cannot be read: No such file or directory", "pipe.png": "is not a regular file"}
    assert source.read("cat/one two.png") == b"first"


def folder_entries(root: Path) -> dict[str, str | None]:
    """Return {path: why it is refused} of a folder."""
    return {entry.path: entry.error for entry in list_entries(Folder(root), ANY)[0]}


def test_folders_linked_crosswise_are_read_once_at_their_own_place(tmp_path: Path) -> None:
    root = write_files(tmp_path / "pets", {"cat/1.png": b"a", "dog/2.png": b"b", "dog/deep/3.png": b"c"})
    (root / "cat" / "dog").symlink_to(root / "dog")
    (root / "dog" / "cat").symlink_to(root / "cat")
    (root / "dog" / "deep" / "up").symlink_to(root)
    assert folder_entries(root) == {
        "cat/1.png": None,
        "cat/dog": "is the same folder as dog",
        "dog/2.png": None,
        "dog/cat": "is the same folder as cat",
        "dog/deep/3.png": None,
        "dog/deep/up": "is the same folder as the source",
    }


def test_of_several_links_to_what_lies_elsewhere_the_first_is_followed(tmp_path: Path) -> None:
    elsewhere = write_files(tmp_path / "elsewhere", {"1.png": b"a", "deep/2.png": b"b"})
    root = write_files(tmp_path / "pets", {"dog/3.png": b"c"})
    for name, target in (("a", elsewhere / "deep"), ("b", elsewhere), ("c", elsewhere)):
        (root / name).symlink_to(target)
    (elsewhere / "back").symlink_to(root / "dog")
    same = {"b/deep": "is the same folder as a", "c": "is the same folder as b"}
    same["b/back"] = "is the same folder as dog"
    assert folder_entries(root) == {"a/2.png": None, "b/1.png": None, "dog/3.png": None} | same


@pytest.mark.parametrize("source", ["data/raw/pets", "./data/raw/pets/", "pets/", "./pets", "data/raw//pets"])
def test_a_source_may_be_given_from_the_project(tmp_path: Path, source: str) -> None:
    write_files(tmp_path / "data/raw/pets", {"cat/1.png": b"a"})
    with open_ingest_source(ANY.model_copy(update={"source": source}), tmp_path / "data/raw") as opened:
        assert [entry.path for entry in opened.walk()] == ["cat/1.png"]


@pytest.mark.parametrize("source", ["data/raw", ".", "data/raw/../x", "../raw/pets", "/etc"])
def test_a_source_outside_data_raw_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "data/raw").mkdir(parents=True)
    params = ANY.model_copy(update={"source": source})
    with (
        pytest.raises(UserError, match="must be a path below data/raw/"),
        open_ingest_source(params, tmp_path / "data/raw"),
    ):
        pass


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_cut_archive_is_said_in_one_line(folder: Path, kind: Any) -> None:
    file = packed(folder, kind)
    data = file.read_bytes()
    for size in (len(data) // 3, len(data) * 2 // 3):
        file.with_name(f"{size}.{kind}").write_bytes(data[:size])
        with pytest.raises(UserError, match=r": is (a damaged archive|neither)") as caught:
            entries_of(file.with_name(f"{size}.{kind}"))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_no_flipped_byte_ends_in_a_traceback_or_in_other_bytes(folder: Path, kind: Any) -> None:
    file = packed(folder, kind)
    data = bytearray(file.read_bytes())
    for place in range(0, len(data), max(1, len(data) // 60)):
        damaged = file.with_name(f"{place}.{kind}")
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with contextlib.suppress(UserError), open_source(damaged, "here") as source:
            for entry in list_entries(source, ANY)[0]:
                with contextlib.suppress(OSError):  # ingest lists such a file with the reason
                    content = None if entry.refused else source.read(entry.location)
                    assert content is None or kind != "zip" or content in FILES.values()


def test_a_missing_path_lists_what_is_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^here: photos does not exist in .*; there is: pictures"):
        entries_of(folder.parent / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"put a folder of class folders, a .zip or a .tar into"):
        entries_of(tmp_path / "empty" / "photos")


def test_a_file_that_is_no_archive_is_said(folder: Path) -> None:
    with pytest.raises(UserError, match=r"^here: is neither a folder nor a whole .zip or .tar, nor a table"):
        entries_of(folder / "read me.txt")


def test_system_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    left = ("cat/.DS_Store", "cat/.x.jpg", "Thumbs.db", "__MACOSX/cat/1.png", ".gitignore", "pets.dvc", ".git/a/b")
    write_files(tmp_path / "pets", dict.fromkeys(("cat/1.png", "dog/2.png", *left), b"x"))
    for kind in ("folder", "zip"):
        with open_source(packed(tmp_path / "pets", kind), "here") as source:
            found, system_files = list_entries(source, ANY)
        assert ([entry.path for entry in found], system_files) == (["cat/1.png", "dog/2.png"], len(left))


def test_a_folder_that_dvc_imports_is_a_source(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "data" / "raw").mkdir(parents=True)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    for command in (["init", "--no-scm", "--quiet"], ["import-url", "--quiet", str(folder), "data/raw/pets"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=project, check=True)
    assert (project / "data" / "raw" / "pets.dvc").exists()
    with open_ingest_source(ANY.model_copy(update={"source": "pets"}), project / "data" / "raw") as source:
        assert [entry.path for entry in list_entries(source, ANY)[0]] == sorted(FILES)


def test_threads_that_read_several_archives_read_whole_files(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    for file in files:
        file.write_bytes(file.name.encode() * 1000)

    def read(number: int) -> bool:
        file = files[number % 3]
        return read_at(file, 500, 400) == file.name.encode() * 400

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(30_000)))
