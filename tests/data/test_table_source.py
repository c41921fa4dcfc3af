import csv
import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.ingest import downloads
from darkroom.ingest.downloads import fetch
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_ingest_source
from darkroom.ingest.table_columns import read_columns
from darkroom.params.data import Columns, Ingest
from pictures import inside, write_files

PLAIN = Columns(path="path", label="label", split="", group="", attributes=[])
WITH_SPLIT = Columns(path="path", label="label", split="set", group="patient", attributes=[])
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["NA", "None", "01", 'a"b', "x;y"]
)


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Path]:
    """Yield data/raw/ of a project of its own, with some files."""
    files = {"pets/a/1.png": b"one", "pets/2 x.png": b"two", "other/3.png": b"three"}
    with inside(write_files(tmp_path, {"dvc.yaml": b"", "secret.png": b""})):
        yield write_files(tmp_path / "data" / "raw", files)


def listed(raw: Path, source: str, columns: Columns, labels: dict[str, str | None] | None = None) -> list[Entry]:
    params = Ingest(source=source, labels=labels or {}, columns=columns, feedback=False)
    with open_ingest_source(params, raw) as opened:
        entries, system_files = list_entries(opened, params)
        assert system_files == 0
        for entry in entries:
            assert entry.refused or opened.read(entry.location)
    return entries


def write_table(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return path.relative_to(path.parents[1] if path.parent.name == "pets" else path.parent).as_posix()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_csv_with_any_separator_and_mark(raw: Path, separator: str, mark: str) -> None:
    rows = [["path", "note, or so", "label"], ["a/1.png", "x", "01"], ["./2 x.png", "", " NA "]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    entries = listed(raw, write_table(raw / "pets" / "t.csv", mark + text.getvalue()), PLAIN)
    assert entries == [
        Entry("2 x.png", 3, "NA", location="2 x.png"),
        Entry("a/1.png", 3, "01", location="a/1.png"),
    ]


def test_splits_and_groups(raw: Path) -> None:
    rows = ["set,patient,path,label", "Train,7,a/1.png,cat", "VALID,7,2 x.png,dog", "test,,../other/3.png,dog"]
    text = "\n".join([*rows, "extra,,x.png,dog", ",,y.png,dog"])
    found = {e.path: e for e in listed(raw, write_table(raw / "pets" / "t.csv", text), WITH_SPLIT, {"dog": "hund"})}
    assert [
        (found[p].given_split, found[p].group, found[p].label) for p in ("a/1.png", "2 x.png", "../other/3.png")
    ] == [
        ("train", "7", "cat"),
        ("validation", "7", "hund"),
        ("test", None, "hund"),
    ]
    assert found["x.png"].error == "has an unknown split; known: train, validation, test"
    assert found["y.png"].error == "has no split"


def test_a_parquet_with_numbers_and_categories(raw: Path) -> None:
    table = pd.DataFrame({"path": ["a/1.png", "2 x.png"], "label": [1, 2], "set": pd.Categorical(["train", "test"])})
    table["patient"] = [None, "p1"]
    table.to_parquet(raw / "pets" / "t.parquet")
    second, first = listed(raw, "pets/t.parquet", WITH_SPLIT)
    assert (first.label, first.given_split, first.group) == ("1", "train", None)
    assert (second.label, second.given_split, second.group) == ("2", "test", "p1")


def test_rows_with_a_mistake_are_refused_with_the_reason(raw: Path) -> None:
    paths = {
        "a\\1.png": "",
        "gone.png": "there is no such file beside the table",
        "a": "is not a regular file",
        "/etc/hostname": "is an absolute path; give it relative to the table",
        "C:\\x.png": "is an absolute path; give it relative to the table",
        "../../../secret.png": "its path leads out of data/raw/",
        "a/../../../x.png": "its path leads out of data/raw/",
        "..": "is not a regular file",
        "s3://bucket": "only http, https, s3, gs and az addresses are fetched",
        "file:///etc/hostname": "only http, https, s3, gs and az addresses are fetched",
    }
    text = "path,label\n" + "".join(f"{path},cat\n" for path in paths) + ",cat\n2 x.png,\n"
    text += "../other/3.png,cat\n./../other/3.png,cat\nb.png,cat\nb.png,dog\n"
    entries = listed(raw, write_table(raw / "pets" / "t.csv", text), PLAIN)
    found = {entry.path: entry.error or "" for entry in entries}
    assert sorted(found.values()) == sorted(
        [
            *paths.values(),
            "has no path",
            "has no label",
            "is named more than once in the table",
            "is named more than once in the table, with different labels",
        ]
    )
    assert found["a/1.png"] == "" and found["row 11"] == "has no path" and len(found) == len(entries)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "t.csv is empty; its first line names the columns"),
        (b"paht,label\na,b\n", "t.csv has no column 'path' (ingest.columns.path); did you mean paht?"),
        (b"path;lable\na;b\n", "t.csv has no column 'label' (ingest.columns.label); did you mean lable?"),
        (b"path,label,label\na,b,c\n", "t.csv has several columns 'label'"),
        (b"path,label\na,b,c\n", "t.csv cannot be read as a table: CSV parse error: Expected 2 columns, got 3"),
        (b"path,label\n\xff\xfe,b\n", "t.csv is not written in UTF-8; save it again as UTF-8"),
    ],
)
def test_a_mistake_of_the_whole_table_is_said_in_one_line(raw: Path, content: bytes, said: str) -> None:
    (raw / "t.csv").write_bytes(content)
    with pytest.raises(UserError) as caught:
        listed(raw, "t.csv", PLAIN)
    text = str(caught.value)
    assert text.startswith("params.yaml: ingest.source = 't.csv': ") and said in text and "\n" not in text


def test_what_is_no_parquet_or_holds_lists_is_said(raw: Path) -> None:
    (raw / "t.parquet").write_bytes(b"no table")
    with pytest.raises(UserError, match=r"t\.parquet cannot be read as a table: "):
        listed(raw, "t.parquet", PLAIN)
    pd.DataFrame({"path": ["a"], "label": [[1]]}).to_parquet(raw / "t.parquet")
    with pytest.raises(UserError, match="must hold text, not lists"):
        listed(raw, "t.parquet", PLAIN)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6), st.sampled_from(",;\t"))
def test_a_csv_gives_back_what_was_written_but_for_outer_blanks(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, separator: Any
) -> None:
    file = tmp_path_factory.mktemp("csv") / "t.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writerows([("path", "group"), *rows])
    found = read_columns(file, Columns(path="path", label="path", split="", group="group", attributes=[]))
    assert found[["path", "group"]].to_numpy().tolist() == [[cell.strip() for cell in row] for row in rows]


@given(st.binary(max_size=60) | st.text(st.sampled_from('ab,;\t"\r\n\0\ufeff'), max_size=40).map(str.encode))
def test_no_bytes_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    raw = tmp_path_factory.mktemp("raw")
    for name in ("t.csv", "t.parquet"):
        (raw / name).write_bytes(b"path,label\n" + content)
        try:
            rows = read_columns(raw / name, PLAIN)
            assert list(rows) == ["path", "label", "split", "group", "attributes"]
        except UserError as error:
            assert str(error).startswith(f"{name} ") and "\n" not in str(error)


class Server(BaseHTTPRequestHandler):
    """Counts what is asked for; some addresses fail in their own way."""

    def __init__(self, asked: list[str], *rest: object) -> None:
        self.asked = asked
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        busy = self.path == "/busy" and self.asked.count("/busy") == 1
        status = 503 if busy else 404 if self.path == "/gone" else 302 if self.path.startswith("/to") else 200
        self.send_response(status)
        if status == 302:
            self.send_header(
                "Location",
                {"/to-a": "/a", "/to-file": "file:///etc/hostname", "/to-ftp": "ftp://127.0.0.1/x"}[self.path],
            )
        if self.path == "/page":
            self.send_header("Content-Type", "Text/HTML; charset=utf-8")
        self.send_header("Content-Length", "99" if self.path == "/cut" else "4")
        self.end_headers()
        self.wfile.write(b"dat" if self.path == "/cut" else b"data")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server and the list of what it is asked."""
    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, asked)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_addresses_are_fetched_once(raw: Path, web: tuple[str, list[str]]) -> None:
    address, asked = web
    text = f"path,label\n{address}/a b/ü.png?x=1&y=%20,cat\n{address}/busy,dog\n{address}/to-a,dog\n"
    source = write_table(raw / "t.csv", text)
    assert [entry.size for entry in listed(raw, source, PLAIN)] == [0, 0, 0]
    assert sorted(asked) == ["/a", "/a%20b/%C3%BC.png?x=1&y=%20", "/busy", "/busy", "/to-a"]
    listed(raw, source, PLAIN)
    assert len(asked) == 5
    assert {file.read_bytes() for file in (raw.parents[1] / ".cache" / "downloads").iterdir()} == {b"data"}


def test_what_cannot_be_fetched_has_a_reason_and_leaves_nothing(
    web: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = web
    monkeypatch.setattr(downloads, "MAX_BYTES", 3)
    monkeypatch.setattr(downloads, "BACKOFF", 0)
    for url, said in {
        f"{address}/gone": "HTTP 404",
        f"{address}/to-file": "it leads to an address that is not http or https",
        f"{address}/to-ftp": "it leads to an address that is not http or https",
        f"{address}/cut": "could not be fetched: the response was cut off",
        f"{address}/page": "it is a web page, not a picture",
        f"{address}/large": "more than 3 bytes, too large for a picture",
        "http://127.0.0.1:9/": "could not be fetched: Connection refused$",
        "http://": "could not be fetched: ",
        "http://127.0.0.1:x/": "could not be fetched: ",
        f"http://{'a' * 70}.invalid/": "could not be fetched: ",
    }.items():
        with pytest.raises(OSError, match=said):
            fetch(url, tmp_path)
    assert (asked.count("/gone"), asked.count("/cut")) == (1, 3)
    assert list(tmp_path.iterdir()) == []
