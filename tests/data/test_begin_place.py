"""Where `darkroom begin` puts what it is given, and what that costs."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from darkroom.begin import links
from darkroom.begin.look import look
from darkroom.begin.place import Placed, bring, find, place_and_look
from darkroom.core.errors import UserError
from darkroom.ingest.listing import list_entries, open_ingest_source
from pictures import ANY, class_files, inside, write_files, write_zip

FILES = class_files("cat", "dog", each=2)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, which is the current folder, with a folder of pictures beside it."""
    project = tmp_path / "project"
    (project / "data" / "raw").mkdir(parents=True)
    (project / "dvc.yaml").touch()
    write_files(tmp_path / "pets", FILES)
    with inside(project):
        yield project


def ingested(root: Path, source: str) -> dict[str, bytes]:
    """Return {path: bytes} as ingest reads a source."""
    params = ANY.model_copy(update={"source": source})
    with open_ingest_source(params, root / "data/raw") as opened:
        return {entry.path: opened.read(entry.location) for entry in list_entries(opened, params)[0]}


def place(path: str, root: Path) -> Placed:
    return bring(find(path, root / "data/raw"), dry=False)


def refusal(path: str, root: Path, dry: bool = False) -> str:
    with pytest.raises(UserError) as refused:
        place_and_look(path, root, dry)
    assert refused.value.status == 2 and "\n" not in str(refused.value)
    return str(refused.value)


def contents(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_what_lies_elsewhere_is_linked_at_no_cost_and_found_by_ingest(root: Path, kind: str) -> None:
    folder = root.parent / "pets"
    path = folder if kind == "folder" else write_zip(folder, root.parent / "pets.zip")
    placed = place(f"../{path.name}", root)
    assert (placed.source, placed.how, placed.cost) == (path.name, "linked", 0)
    assert "no space" in placed.sentence and f"data/raw/{path.name}" in placed.sentence
    assert ingested(root, placed.source) == FILES
    assert contents(root / "data/raw") == [path.name] + (
        [f"{path.name}/{n}" for n in contents(folder)] * (kind == "folder")
    )


def test_the_second_time_it_is_used_as_it_is(root: Path) -> None:
    first = place("../pets", root)
    again = place("../pets", root)
    assert (again.source, again.how, again.cost) == (first.source, "named", 0)
    shutil.rmtree(root.parent / "pets")
    write_files(root.parent / "pets", FILES)  # the same bytes, of another time
    assert place("../pets", root).how == "named"


@pytest.mark.parametrize("linked", [True, False])
def test_new_files_of_the_source_are_brought_and_the_others_kept(
    root: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place("../pets", root)
    more = class_files("cow", each=2) | {"cat/new.png": FILES["cat/0.png"]}
    write_files(root.parent / "pets", more)
    if not linked:
        monkeypatch.setattr(os, "link", refuse)
    else:
        placed, facts, _ = place_and_look("../pets", root, dry=True)
        assert placed.sentence == "data/raw/pets would get 3 new files, hard links, which take no space"
        assert facts.classes == {"cat": 3, "cow": 2, "dog": 2} and ingested(root, "pets") == FILES
    placed, _, _ = place_and_look("../pets", root, dry=False)
    assert placed.how == ("linked" if linked else "copied") and "data/raw/pets gets 3 new files, " in placed.sentence
    assert ingested(root, "pets") == FILES | more and place("../pets", root).how == "named"
    assert not list((root / "data/raw").rglob("*.partial"))


def test_a_link_to_another_folder_is_not_written_into(root: Path) -> None:
    other = write_files(root.parent / "other", {"cat/0.png": FILES["cat/0.png"]})
    (root / "data/raw/pets").symlink_to(other)
    assert "pets is there already and differs from" in refusal("../pets", root)
    assert contents(other) == ["cat", "cat/0.png"]


@pytest.mark.parametrize("change", ["other", "fewer", "both"])
def test_other_files_of_that_name_are_never_written_over(root: Path, change: str) -> None:
    place("../pets", root)
    shutil.rmtree(root.parent / "pets")
    one = {"cat/0.png": FILES["cat/0.png"]}
    files = {"other": FILES | {"cat/0.png": b"x" * len(one["cat/0.png"])}, "both": one | {"cat/new.png": b"new"}}
    write_files(root.parent / "pets", files.get(change, one))
    said = refusal("../pets", root)
    assert "pets is there already and differs from" in said and said.endswith(": make repro SOURCE=data/raw/pets")
    assert ingested(root, "pets") == FILES


def test_what_another_process_brings_meanwhile_is_not_written_over(root: Path) -> None:
    found = find("../pets", root / "data/raw")
    place("../pets", root)
    assert bring(found, dry=False).how == "named"
    (root / "data/raw/pets/cat/new.png").write_bytes(b"new")
    with pytest.raises(UserError, match="pets is there already and differs from"):
        bring(found, dry=False)


def refuse(*_: object, **__: object) -> None:
    raise OSError(18, "Invalid cross-device link")


def test_what_cannot_be_linked_is_copied_and_costs_its_bytes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse)
    placed = place("../pets", root)
    assert (placed.how, placed.cost) == ("copied", sum(map(len, FILES.values())))
    assert ingested(root, "pets") == FILES


def test_files_of_another_user_are_said_to_be_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(os, "access", lambda *_: False)
    placed, _, _ = place_and_look("../pets", root, dry=True)
    assert (placed.how, placed.cost) == ("copied", sum(map(len, FILES.values())))


def test_a_copy_that_does_not_fit_is_not_begun(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "bytes_to_copy", lambda *_: 10**18)
    assert "has no room for a copy of 1000000000.0 GB" in refusal("../pets", root)
    assert contents(root / "data/raw") == []


def test_pictures_behind_links_are_brought_too_and_hidden_files_are_not(root: Path) -> None:
    folder = write_files(
        root.parent / "linked", {"dog/1.png": FILES["dog/1.png"], ".git/x": b"x", "dog/.DS_Store": b"x"}
    )
    (folder / "cat").symlink_to(root.parent / "pets" / "cat")
    (folder / "dog" / "2.png").symlink_to(root.parent / "pets" / "dog" / "0.png")
    place(str(folder), root)
    made = root / "data/raw/linked"
    assert contents(made) == ["cat", "cat/0.png", "cat/1.png", "dog", "dog/1.png", "dog/2.png"]
    assert not any(path.is_symlink() for path in made.rglob("*"))


@pytest.mark.parametrize("path", ["data/raw/own", "own", "./data/raw/../raw/own/"])
def test_what_is_below_data_raw_is_only_named(root: Path, path: str) -> None:
    write_files(root / "data/raw/own", FILES)
    placed = place(path, root)
    assert (placed.source, placed.how) == ("own", "named") and "used where it is" in placed.sentence


def test_a_link_to_a_folder_there_is_named_with_a_warning(root: Path) -> None:
    (root / "data/raw/own").symlink_to(root.parent / "pets")
    placed = place("data/raw/own", root)
    assert placed.source == "own" and "whose changes DVC does not see" in placed.sentence


@pytest.mark.slow
def test_dvc_sees_changes_in_hard_links_and_not_behind_a_link_to_a_folder(root: Path) -> None:
    def dvc(*command: str) -> str:
        return subprocess.run(["dvc", *command], cwd=root, capture_output=True, text=True, check=True).stdout

    (root / "dvc.yaml").write_text("stages:\n  ingest:\n    cmd: 'true'\n    deps: [data/raw]\n")
    dvc("init", "--no-scm", "--quiet")
    (root / "data/raw/linked").symlink_to(root.parent / "pets")
    dvc("repro", "--quiet")
    (root.parent / "pets/cat/new.png").write_bytes(b"new")
    assert "up to date" in dvc("status")  # a fault, and the reason why `bring` makes no such links
    (root / "data/raw/linked").unlink()
    place("../pets", root)
    dvc("repro", "--quiet")
    (root.parent / "pets/cat/new.png").write_bytes(b"changed")
    assert "data/raw" in dvc("status")
    dvc("add", "--quiet", "data/raw/pets")
    assert os.access(root.parent / "pets/cat/new.png", os.W_OK)
    assert (root.parent / "pets/cat/new.png").read_bytes() == b"changed"


def test_a_dry_run_writes_nothing_and_can_be_looked_at(root: Path) -> None:
    placed, facts, _ = place_and_look("../pets", root, dry=True)
    assert placed.how == "linked" and "would be linked" in placed.sentence and facts.source == "pets"
    assert contents(root / "data/raw") == []


def test_a_path_without_pictures_is_not_placed(root: Path) -> None:
    write_files(root.parent / "texts", {"a/1.txt": b"x", "a/2.txt": b"y", "b/1.txt": b"z"})
    assert "none of its 3 files is a picture (a/1.txt: not an image" in refusal("../texts", root)
    assert contents(root / "data/raw") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../pest", "../pest does not exist; did you mean pets?"),
        ("../gone/pets", "; there is no folder"),
        (".", "holds data/raw itself; give the folder or the file with the pictures (in data/raw there is: own)"),
        ("data/raw", "holds data/raw itself"),
        ("..", "holds data/raw itself"),
        ("../empty", "holds no files"),
        ("../note.txt", "is neither a .zip or .tar nor a table"),
        ("../pipe", "is neither a folder nor a file"),
    ],
)
def test_what_is_no_source_is_said_in_one_line(root: Path, path: str, said: str) -> None:
    write_files(root / "data/raw/own", FILES)
    write_files(root.parent, {"note.txt": b"text"})
    (root.parent / "empty").mkdir()
    os.mkfifo(root.parent / "pipe")
    assert said in refusal(path, root)


@pytest.mark.parametrize(
    ("name", "source"),
    [("digits", "data/raw/digits"), (".hidden", "hidden"), ("a: 'b'\n", "a- -b-"), ("x.partial", "x-partial")],
)
def test_a_name_that_would_mean_something_else_is_changed(root: Path, name: str, source: str) -> None:
    (root.parent / "pets").rename(root.parent / name)
    placed = place(f"../{name}", root)
    assert placed.source == source and ingested(root, source) == FILES


def test_digits_are_the_built_in_ones_where_nothing_has_that_name(root: Path) -> None:
    placed = place("digits", root)
    assert (placed.source, placed.how) == ("digits", "named")


@pytest.mark.slow
def test_the_built_in_digits_can_be_looked_at(root: Path) -> None:
    facts, proposals = look(root, "digits")
    assert (facts.pictures, facts.short_sides, facts.grey, proposals) == (1797, (8, 8, 8), 1.0, [])


@pytest.mark.parametrize("up", [False, True])
def test_a_table_brings_its_pictures(root: Path, up: bool) -> None:
    rows = [f"{'../' * up}pets/{name},{name.split('/')[0]}" for name in FILES]
    table = root.parent / ("lists/pets.csv" if up else "pets.csv")
    text = "\n".join(
        ["File Name;class;split".replace(";", ","), *(f"{row},{'train' if 'cat' in row else 'test'}" for row in rows)]
    )
    write_files(table.parent, {table.name: f"{text}\n../gone.png,cat,train\n".encode()})
    placed, facts, _ = place_and_look(str(table), root, dry=False)
    assert placed.source == ("pets/lists/pets.csv" if up else "pets/pets.csv") and placed.how == "linked"
    assert facts.classes == {"cat": 2, "dog": 2} and facts.splits == {"train": 2, "test": 2}
    assert facts.columns == {"path": "File Name", "label": "class", "split": "split", "group": "", "attributes": []}
    assert look(root, placed.source)[0] == facts


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a server of the folder tmp_path/web, which has pets.zip, page.html and note.txt."""
    write_files(tmp_path / "web", {"page.html": b"<html>", "note.txt": b"text"})
    write_zip(write_files(tmp_path / "packed", FILES), tmp_path / "web" / "pets.zip")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_is_downloaded_once(root: Path, web: str) -> None:
    placed: Placed = place_and_look(f"{web}/pets.zip?raw=1", root, dry=False)[0]
    assert (placed.source, placed.how) == ("pets.zip", "downloaded")
    assert placed.cost == (root / "data/raw/pets.zip").stat().st_size and ingested(root, "pets.zip") == FILES
    assert place_and_look(f"{web}/pets.zip", root, dry=False)[0].how == "named"
    (root / "data/raw/pets.zip").write_bytes(b"other")
    assert "is not as large as what" in refusal(f"{web}/pets.zip", root)


@pytest.mark.parametrize(
    ("path", "said"),
    [("page.html", "it is a web page"), ("gone.zip", "HTTP 404"), ("note.txt", "gives is neither a .zip or .tar")],
)
def test_an_address_that_gives_no_archive_leaves_nothing(root: Path, web: str, path: str, said: str) -> None:
    assert said in refusal(f"{web}/{path}", root)
    assert "a dry run downloads nothing" in refusal(f"{web}/pets.zip", root, dry=True)
    assert contents(root / "data/raw") == []
