"""Sources in buckets, read from a local server that speaks S3."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from typing import Any

import pandas as pd
import pytest

import pictures
from darkroom.core.errors import UserError
from darkroom.core.files import file_digest
from darkroom.ingest import buckets, ingest, stores
from darkroom.ingest.buckets import Bucket, read_object
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_ingest_source
from darkroom.ingest.sources import REMOTE_AT_ONCE
from darkroom.params.data import Columns
from pictures import ANY, class_files, encode, ingested, inside, noise, write_files, write_tar, write_zip
from s3_server import put, s3_server, use_endpoint
from stopped import Stopped

FILES = class_files("cat", "dög #1", each=REMOTE_AT_ONCE // 2) | {
    "cat/9 broken.jpg": encode(noise("x", 64), "JPEG")[:500],
    "dog/empty.png": b"",
    "stray.png": encode(noise("stray")),
    ".DS_Store": b"junk",
}
COLUMNS = Columns(path="file", label="finding", split="", group="", attributes=[])
ODD = {"odd//1.png": b"x", "odd/../2.png": b"x", "odd/cat/3.png": b"x"}
PACK = """
import sys
from pathlib import Path
from darkroom.execution.workers import worker_pool
from darkroom.ingest.buckets import Bucket
from darkroom.ingest.ingest import pack
from darkroom.ingest.listing import list_files
bucket, folder = Bucket("s3://pictures/pets"), Path(sys.argv[1])
with worker_pool() as pool:
    files = folder / "images", folder / "manifest", folder / "cache"
    pack(bucket, list_files(bucket, "")[0], *files, pool, "auto")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("local") / "pets", FILES)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """Yield the address of a server with the bucket `pictures`."""
    table = "file,finding\n" + "".join(f"pets/{name},{name[0]}\n" for name in class_files("cat"))
    table += "s3://pictures/pets/stray.png,d\ns3://pictures/gone.png,d\npets/none.png,d\n../x.png,d\n"
    files = {f"pets/{name}": data for name, data in FILES.items()} | ODD
    archives = write_zip(folder, folder.with_name("pets.zip")), write_tar(folder, folder.with_name("pets.tar.gz"), "gz")
    files |= {file.name: file.read_bytes() for file in archives} | {"list.csv": table.encode()}
    with s3_server() as address, pytest.MonkeyPatch.context() as patch:
        use_endpoint(patch, address)
        put(address, "pictures", files)
        yield address


@pytest.fixture(autouse=True)
def project(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_endpoint(monkeypatch, server)
    monkeypatch.setattr(stores, "TRIES", 1)
    with inside(write_files(tmp_path, {"dvc.yaml": b""})):
        yield
    stores.client.cache_clear()


def packed(source: str, images: Path, **params: Any) -> pd.DataFrame:
    """Pack a source, which travels as to a worker process, and return the manifest."""
    ingest = ANY.model_copy(update={"source": source, **params})
    with open_ingest_source(ingest, images.parent / "raw") as opened, ThreadPoolExecutor(2) as pool:
        entries, _ = list_entries(opened, ingest)
        sent = pickle.loads(pickle.dumps(opened))
        return pictures.packed(sent, entries, images, images.parent / "cache", pool)


@pytest.mark.parametrize("name", ["pets", "pets.tar.gz", "list.csv"])
def test_a_stopped_run_resumes_after_its_packs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "FILES_PER_SHARD", 1)
    params, made = ANY.model_copy(update={"source": f"s3://pictures/{name}", "columns": COLUMNS}), []
    for most in (2, 3, 1000):
        executor = Stopped(most)
        with open_ingest_source(params, tmp_path / "raw") as opened, suppress(KeyboardInterrupt):
            entries, _ = list_entries(opened, params)
            pictures.packed(opened, entries, tmp_path / f"{most}", tmp_path / "cache", executor)
        made.append(executor.made)
    assert made == [2, 3, len(list(ingest.shards(entries))) - 5]


def refusal(source: str) -> str:
    with pytest.raises(UserError) as caught:
        packed(source, Path("images"))
    assert "\n" not in str(caught.value) and "request" not in str(caught.value).lower()
    return str(caught.value).removeprefix(f"params.yaml: ingest.source = {source!r}: ")


def digests(images: Path) -> dict[str, str]:
    return {file.name: file_digest(file) for file in images.iterdir()}


@pytest.mark.parametrize("name", ["pets", "pets/", "pets.zip"])
def test_a_folder_and_an_archive_in_a_bucket_give_what_the_folder_on_disk_gives(
    folder: Path, tmp_path: Path, name: str
) -> None:
    wanted = ingested(folder, tmp_path / "local")
    pd.testing.assert_frame_equal(packed(f"s3://pictures/{name}", tmp_path / "remote"), wanted)
    assert digests(tmp_path / "remote") == digests(tmp_path / "local")


@pytest.mark.slow
def test_worker_processes_read_a_bucket_too(folder: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", PACK, str(tmp_path)], check=True)  # whose workers have this environment
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "manifest"), ingested(folder, tmp_path / "local"))
    assert digests(tmp_path / "images") == digests(tmp_path / "local")


def test_as_many_objects_as_pay_are_read_at_once(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(REMOTE_AT_ONCE)
    monkeypatch.setattr(buckets, "read_object", lambda address: (together.wait(10), read_object(address))[1])
    files = {name: data for name, data in FILES.items() if name.endswith("png") and data}
    put(server, "many", dict(list(files.items())[:REMOTE_AT_ONCE]))
    assert len(packed("s3://many", tmp_path / "images")) == REMOTE_AT_ONCE


def test_a_table_names_objects_beside_it_and_elsewhere(tmp_path: Path) -> None:
    found = packed("s3://pictures/list.csv", tmp_path / "images", columns=COLUMNS).set_index("path")
    assert found["label"].to_dict() == dict.fromkeys(found.index, "d") | {
        f"pets/{name}": name[0] for name in class_files("cat")
    }
    assert found["error"].dropna().to_dict() == {
        "pets/none.png": "there is no such object beside the table",
        "../x.png": "its path leads out of the table's folder",
        "s3://pictures/gone.png": "cannot be read: no such object",
    }
    assert found.loc["s3://pictures/pets/stray.png", "format"] == "PNG"


def test_a_key_that_is_no_path_is_refused() -> None:
    found = {entry.path: entry.error for entry in Bucket("s3://pictures/odd").walk()}
    reason = "has an empty part, . or .. in its key; rename the object"
    assert found == {"/1.png": reason, "../2.png": reason, "cat/3.png": None}


def test_an_object_that_is_gone_is_listed_with_the_reason(tmp_path: Path) -> None:
    opened = Bucket("s3://pictures/pets")
    entries = [*opened.walk(), Entry("cat/gone.png", 5, "cat", location="cat/gone.png", remote=True)]
    with ThreadPoolExecutor(1) as pool:
        manifest = pictures.packed(opened, entries, tmp_path / "images", tmp_path / "cache", pool)
    assert manifest.set_index("path").loc["cat/gone.png", "error"] == "cannot be read: no such object"


def test_a_store_that_does_not_answer_any_more_ends_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Bucket("s3://pictures/pets")
    entries = list(opened.walk())
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    said = "^s3://pictures/pets/.* cannot be read: network connection; check address"
    with ThreadPoolExecutor(1) as pool, pytest.raises(UserError, match=said) as caught:
        pictures.packed(opened, entries, tmp_path / "images", tmp_path / "cache", pool)
    assert pickle.loads(pickle.dumps(caught.value)).status == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s3://missing/pets", "cannot be listed: no such bucket; check address, network and credentials (AWS_ACCESS"),
        ("s3://pictures/pest", "cannot be listed: no such bucket or folder; check"),
        ("s3://pictures/pest.zip", "cannot be read: no such object; check"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(source: str, said: str) -> None:
    assert said in refusal(source)


def test_a_store_that_cannot_be_reached_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    for name in ("pets", "pets.zip"):
        assert "network connection; check address, network and credentials" in refusal(f"s3://pictures/{name}")


def test_wrong_credentials_are_said_in_one_line(server: str) -> None:
    import requests

    requests.post(f"{server}/moto-api/reset-auth", data="0", timeout=9)  # from now on keys are checked
    try:
        assert refusal("s3://pictures/pets").startswith("cannot be listed: invalid access key id; check")
        assert refusal("s3://pictures/pets.zip").startswith("cannot be read: access denied; check")
    finally:
        requests.post(f"{server}/moto-api/reset-auth", data="inf", timeout=9)
