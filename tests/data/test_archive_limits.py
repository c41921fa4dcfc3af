"""What archives may not do: climb out, grow without end, hide what they hold."""

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.ingest.archives import BOMB_TOTAL
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_source
from pictures import ANY, write_files, write_zip

ODD_NAMES = st.text(st.sampled_from("ab./\\:C\0é猫\u0301 "), max_size=12) | st.text(max_size=12)


def entries_of(path: Path) -> dict[str, Entry]:
    """Return {path: entry}; two of one path fail."""
    with open_source(path, "here") as source:
        found = list_entries(source, ANY)[0]
    assert len({entry.path for entry in found}) == len(found)
    return {entry.path: entry for entry in found}


def reasons(path: Path) -> dict[str, str | None]:
    return {name: entry.error for name, entry in entries_of(path).items() if entry.refused}


def write_names(file: Path, names: list[str]) -> Path:
    """Write an archive with four bytes below each name, as it is."""
    if file.suffix == ".tar":
        with tarfile.open(file, "w") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = 4
                archive.addfile(info, io.BytesIO(b"data"))
        return file
    with zipfile.ZipFile(file, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a name that is there twice
        for name in names:
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # ZipInfo itself would mend it
            packed.writestr(entry, b"data")
    return file


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_and_repeats_are_refused(tmp_path: Path, kind: str) -> None:
    out = ["../out.png", "/root.png", "cat/../../x.png", "C:/x.png", "c:x.png", "cat\\..\\..\\y.png", "\\\\host\\z.png"]
    names = ["cat/good.png", *out, "cat/twice.png", "cat/twice.png", "./dog/1.png", "dog/./1.png", "./dog//2.png"]
    found = entries_of(write_names(tmp_path / f"bad.{kind}", names))
    refused = {name: entry.error for name, entry in found.items() if entry.refused}
    assert sorted(found.keys() - refused.keys()) == ["cat/good.png", "dog/2.png"]
    assert [error for error in refused.values() if error].count("its path leads out of the archive") == len(out)
    several = "is one of several files of this name"
    assert (refused["cat/twice.png"], refused["dog/1.png"]) == (several, several)


def test_a_zip_from_windows_is_read(tmp_path: Path) -> None:
    file = write_names(tmp_path / "a.zip", ["pets\\cat\\1.png", "pets\\dog\\", "pets\\dog\\2.png"])
    found = entries_of(file)
    assert {name: entry.label for name, entry in found.items()} == {"pets/cat/1.png": "cat", "pets/dog/2.png": "dog"}
    with open_source(file, "here") as source:
        assert source.read(found["pets/dog/2.png"].location) == b"data"


@given(st.lists(ODD_NAMES, max_size=8), st.sampled_from(["zip", "tar"]))
def test_whatever_the_names_nothing_but_the_files_is_read(
    tmp_path_factory: pytest.TempPathFactory, names: Any, kind: Any
) -> None:
    file = write_names(tmp_path_factory.mktemp("names") / f"odd.{kind}", names)
    try:
        with open_source(file, "here") as source:
            for entry in list_entries(source, ANY)[0]:
                assert entry.refused or source.read(entry.location) == b"data"
                assert entry.refused or not {"", ".", ".."} & set(entry.path.split("/"))
    except UserError as error:
        assert str(error).count("\n") == 0


def test_a_zip_refuses_links_bombs_passwords_and_other_methods(tmp_path: Path) -> None:
    file = tmp_path / "bad.zip"
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/good.png", b"good")
        archive.writestr(link, "/etc/hostname")
        archive.writestr("cat/bomb.bmp", bytes(20_000_000))
        archive.writestr("cat/lzma.png", b"x" * 100, zipfile.ZIP_LZMA)
    assert reasons(file) == {
        "cat/link.png": "is a link",
        "cat/bomb.bmp": "expands to more than 200 times its packed size, like a bomb",
        "cat/lzma.png": "is packed by a method that is not read here (14); pack it as an ordinary .zip",
    }


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    file = write_zip(write_files(tmp_path / "a", {"cat/1.png": b"secret"}), tmp_path / "locked.zip")
    data = bytearray(file.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(signature) + flags] |= 1
    file.write_bytes(data)
    assert reasons(file) == {"cat/1.png": "is encrypted; pack it without a password"}


def test_a_file_of_a_zip_that_expands_to_more_than_it_says_is_damaged(tmp_path: Path) -> None:
    file = write_zip(write_files(tmp_path / "a", {"cat/1.png": bytes(1_000_000)}), tmp_path / "lies.zip")
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02", 0, data.rindex(b"cat/1.png")) + 24, 50_000)
    file.write_bytes(data)
    entry = entries_of(file)["cat/1.png"]
    assert entry.size == 50_000
    with open_source(file, "here") as source, pytest.raises(OSError, match="damaged: its bytes are not those"):
        source.read(entry.location)


def test_files_of_a_zip_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    file = write_zip(write_files(tmp_path / "a", {"cat/1.png": bytes(9_000_000)}), tmp_path / "shared.zip")
    data = file.read_bytes()
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    directory = b"".join(
        data[start : start + 28]
        + struct.pack("<H", 11)
        + data[start + 30 : start + 46]
        + f"cat/{n}.png".encode()
        + data[start + 46 + 9 : end]
        for n in range(100, 150)
    )
    file.write_bytes(data[:start] + directory + struct.pack("<4s4xHHIIH", b"PK\5\6", 50, 50, len(directory), start, 0))
    with pytest.raises(UserError, match=r"^params.yaml: .*shared.zip expands to more than 200 times its size"):
        entries_of(file)


def test_a_tar_refuses_links_devices_and_sparse_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        for name, kind in (
            ("soft", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("pipe", tarfile.FIFOTYPE),
            ("sparse", tarfile.GNUTYPE_SPARSE),
        ):
            info = tarfile.TarInfo(f"cat/{name}.png")
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    assert reasons(tmp_path / "bad.tar") == {
        "cat/soft.png": "is a link",
        "cat/hard.png": "is a link",
        "cat/pipe.png": "is not a regular file",
        "cat/sparse.png": "is a sparse file; pack it without --sparse",
    }


def test_a_packed_tar_that_is_a_bomb_stops_while_it_expands(tmp_path: Path) -> None:
    tar = tmp_path / "zeros.tar"
    with tarfile.open(tar, "w") as archive:
        info = tarfile.TarInfo("cat/1.bmp")
        info.size = BOMB_TOTAL + 5_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", 1) as out:
        out.write(tar.read_bytes())
    with pytest.raises(UserError, match=r"^here: bomb.tar.gz expands to more than 200 times its size, like a bomb"):
        entries_of(tmp_path / "bomb.tar.gz")


def test_a_tar_whose_list_breaks_off_is_damaged_and_not_shorter(tmp_path: Path) -> None:
    file = write_names(tmp_path / "a.tar", [f"cat/{number}.png" for number in range(6)])
    data = bytearray(file.read_bytes())
    data[3 * 1024 + 150] ^= 0xFF  # in the checksum of the fourth header
    file.write_bytes(data)
    with pytest.raises(UserError, match="is a damaged archive: its list of files breaks off"):
        entries_of(file)


def test_an_archive_inside_an_archive_is_just_a_file(tmp_path: Path) -> None:
    inner = write_names(tmp_path / "inner.zip", ["dog/1.png"])
    outer = write_zip(
        write_files(tmp_path / "o", {"cat/a.zip": inner.read_bytes(), "dog/1.png": b""}), tmp_path / "o.zip"
    )
    assert sorted(entries_of(outer)) == ["cat/a.zip", "dog/1.png"]
