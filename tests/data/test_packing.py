"""An ingest that was stopped resumes after its finished packs, and gives what an uninterrupted one gives."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from darkroom.core.files import file_digest
from darkroom.images.known import known_facts
from darkroom.ingest import ingest, manifest
from darkroom.ingest.examine import pack_shard
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_source
from darkroom.ingest.packing import Pack
from darkroom.ingest.tars import plain_tar
from pictures import ANY, class_files, packed, write_files, write_tar
from stopped import Stopped


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ingest, "FILES_PER_SHARD", 2)
    return write_files(tmp_path / "pets", class_files("cat", "dog", each=8))


def packs_of(source: Path, images: Path, cache: Path, most: int = 1000) -> tuple[dict[str, str], int]:
    """Pack; return the digest of each pack and of the manifest, and how many packs were made."""
    executor = Stopped(most)
    with open_source(source, "test") as opened:
        table = packed(opened, list_entries(opened, ANY)[0], images, cache, executor)
    digests = {file.name: file_digest(file) for file in images.iterdir()}
    assert len(table) == 16
    return digests | {"manifest": file_digest(images.with_suffix(".manifest"))}, executor.made


def test_a_stopped_run_resumes_after_its_packs(source: Path, tmp_path: Path) -> None:
    whole, count = packs_of(source, tmp_path / "whole", tmp_path / "other cache")
    assert count > 4
    with pytest.raises(KeyboardInterrupt):
        packs_of(source, tmp_path / "stopped", tmp_path / "cache", most=3)
    assert packs_of(source, tmp_path / "resumed", tmp_path / "cache") == (whole, count - 3)
    assert not list((tmp_path / "cache" / "packs").glob("*/"))
    assert packs_of(source, tmp_path / "again", tmp_path / "cache") == (whole, count)


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip"])
def test_so_does_one_of_an_archive_until_that_is_another(source: Path, tmp_path: Path, kind: str) -> None:
    file = Path(shutil.make_archive(str(tmp_path / "pets"), kind, source))
    count = packs_of(file, tmp_path / "whole", tmp_path / "other cache")[1]
    for number in range(3):
        with pytest.raises(KeyboardInterrupt):
            packs_of(file, tmp_path / f"stopped {number}", tmp_path / "cache", most=3)
        if number == 1:
            os.utime(file, ns=(10**18, 10**18))
    assert packs_of(file, tmp_path / "resumed", tmp_path / "cache")[1] == count - 3


@pytest.mark.parametrize("above", ["../..", "../../../../../../../../../../.."])
def test_an_archive_above_the_folder_is_expanded_below_the_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: str
) -> None:
    source, scratch = write_files(tmp_path / "pets", class_files("cat")), tmp_path / "scratch"
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    file = Path(above) / ("" if above == "../.." else tmp_path.relative_to("/")) / "pets.tar.gz"
    write_tar(source, file, "gz")
    plain = plain_tar(file, scratch)
    assert plain.is_relative_to(scratch) and ".." not in plain.parts and plain.stat().st_size > file.stat().st_size


def test_a_run_that_is_stopped_while_packs_get_their_names_loses_none(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, count = packs_of(source, tmp_path / "whole", tmp_path / "other cache")
    move, moved = shutil.move, list[object]()

    def stopped(source: str, target: str) -> None:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(move(source, target))

    monkeypatch.setattr("shutil.move", stopped)
    with pytest.raises(KeyboardInterrupt):
        packs_of(source, tmp_path / "stopped", tmp_path / "cache")
    monkeypatch.setattr("shutil.move", move)
    assert packs_of(source, tmp_path / "resumed", tmp_path / "cache") == (whole, count)


def test_pictures_of_an_earlier_attempt_are_not_taken_when_none_can_be_read_now(tmp_path: Path) -> None:
    class Gone:
        def read(self, location: str) -> bytes:
            raise OSError(f"{location} is gone")

    pack, memory = Pack(tmp_path / "pictures", tmp_path / "facts"), known_facts(tmp_path / "cache", "auto")
    pack.pictures.write_bytes(b"of an earlier attempt")
    pack_shard(Gone(), [Entry("a/1.png", 5, "a", location="x")], pack, memory, "auto")
    assert pack.facts.exists() and not pack.pictures.exists()


def test_a_pack_is_made_again_when_one_of_its_files_has_changed(source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        packs_of(source, tmp_path / "stopped", tmp_path / "cache", most=1)
    first = min(source.glob("*/*"))
    first.write_bytes(first.read_bytes()[:-1] + b"\0")  # of the same size
    os.utime(first, ns=(0, 1))
    changed, count = packs_of(source, tmp_path / "changed", tmp_path / "cache")
    assert (changed, count) == packs_of(source, tmp_path / "anew", tmp_path / "other cache")


def test_a_manifest_of_many_rows_is_sorted_part_by_part(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs_of(source, tmp_path / "whole", tmp_path / "cache")
    whole = pd.read_parquet(tmp_path / "whole.manifest")
    for most in (8, 2, 1):  # rows at once: 16 parts, then 256
        monkeypatch.setattr(manifest, "ROWS_AT_ONCE", most)
        packs_of(source, tmp_path / f"{most}", tmp_path / "cache")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{most}.manifest"), whole)
