import contextlib
import io
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from darkroom.data.sources import Folder, Member, open_source
from darkroom.errors import UserError
from pictures import write_files, write_tar, write_zip

FILES = {
    "cat/one two.png": b"first",
    "cat/ümläut 猫.png": b"second" * 1000,
    "dog/deep/below/кот.jpg": b"third",
    "dog/empty.png": b"",
    "read me.txt": b"text",
}
MEMBERS = sorted(Member(path, len(data)) for path, data in FILES.items())


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


def open_it(path: Path) -> None:
    with open_source(path, "here"):
        pass


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_every_kind_holds_the_same_files(folder, kind):
    with open_source(packed(folder, kind), "test") as source:
        assert source.members() == MEMBERS
        assert {member.path: source.read(member.path) for member in reversed(MEMBERS)} == FILES


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_suffix_does_not_matter(folder, kind):
    plain = packed(folder, kind).rename(folder.with_name("download"))
    with open_source(plain, "test") as source:
        assert source.members() == MEMBERS


def test_a_tar_made_with_a_dot_in_front_has_the_same_names(folder, tmp_path):
    with tarfile.open(tmp_path / "dotted.tar", "w") as archive:
        archive.add(folder, ".")
    with open_source(tmp_path / "dotted.tar", "test") as source:
        assert source.members() == MEMBERS


def test_linked_folders_are_followed_and_a_dangling_link_is_a_file_that_fails(folder, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "cat").symlink_to(folder / "cat")
    (tmp_path / "linked" / "gone.png").symlink_to(tmp_path / "nothing")
    source = Folder(tmp_path / "linked")
    assert [member.path for member in source.members()] == ["cat/one two.png", "cat/ümläut 猫.png", "gone.png"]
    assert source.read("cat/one two.png") == b"first"
    with pytest.raises(OSError, match="No such file"):
        source.read("gone.png")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_cut_archive_is_said_in_one_line(folder, kind):
    file = packed(folder, kind)
    data = file.read_bytes()
    for size in (len(data) // 3, len(data) * 2 // 3):
        file.with_name(f"{size}.{kind}").write_bytes(data[:size])
        with pytest.raises(UserError, match=f"^here: {size}.{kind} is") as caught:
            open_it(file.with_name(f"{size}.{kind}"))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_no_flipped_byte_ends_in_a_traceback(folder, kind):
    file = packed(folder, kind)
    data = bytearray(file.read_bytes())
    for place in range(0, len(data), max(1, len(data) // 60)):
        damaged = file.with_name(f"{place}.{kind}")
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            with open_source(damaged, "here") as source:
                for member in source.members():
                    with contextlib.suppress(OSError):  # ingest lists such a file with the reason
                        source.read(member.path)
        except UserError as error:
            assert str(error).startswith("here: ")


def test_an_encrypted_file_is_one_that_cannot_be_read(tmp_path):
    file = write_zip(write_files(tmp_path / "a", {"cat/1.png": b"secret"}), tmp_path / "locked.zip")
    data = bytearray(file.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(signature) + flags] |= 1
    file.write_bytes(data)
    assert zipfile.is_zipfile(file)
    with open_source(file, "test") as source, pytest.raises(OSError, match=r"password|encrypted"):
        source.read("cat/1.png")


@pytest.mark.usefixtures("folder")
def test_a_missing_path_lists_what_is_there(tmp_path):
    with pytest.raises(UserError, match=r"^here: photos does not exist in .*; there is: pictures"):
        open_it(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"put a folder of class folders, a .zip or a .tar into"):
        open_it(tmp_path / "empty" / "photos")


def test_a_file_that_is_no_archive_is_said(folder):
    with pytest.raises(UserError, match=r"read me.txt is neither a folder nor a whole .zip or .tar"):
        open_it(folder / "read me.txt")


def test_a_zip_refuses_what_climbs_out_links_repeats_and_bombs(tmp_path):
    file = tmp_path / "bad.zip"
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the name that is there twice
        archive.writestr("cat/good.png", b"good")
        archive.writestr("../out.png", b"bad")
        archive.writestr("/root.png", b"bad")
        archive.writestr(link, "/etc/hostname")
        archive.writestr("cat/twice.png", b"one")
        archive.writestr("cat/twice.png", b"two")
        archive.writestr("cat/bomb.bmp", bytes(20_000_000))
    with open_source(file, "test") as source:
        members = source.members()
    refused = {member.path: member.refused for member in members}
    assert len(refused) == len(members)
    assert refused.pop("cat/good.png") == ""
    assert {path: reason.split()[-1] for path, reason in refused.items()} == {
        "../out.png": "archive",
        "/root.png": "archive",
        "cat/link.png": "link",
        "cat/twice.png": "name",
        "cat/bomb.bmp": "bomb",
    }


def test_a_tar_refuses_what_climbs_out_links_and_repeats(tmp_path):
    file = tmp_path / "bad.tar"
    with tarfile.open(file, "w") as archive:
        for name in ("cat/good.png", "../out.png", "/root.png", "cat/twice.png", "cat/twice.png"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"data"))
        for name, kind in (("cat/soft.png", tarfile.SYMTYPE), ("cat/hard.png", tarfile.LNKTYPE), ("cat/pipe", b"6")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    with open_source(file, "test") as source:
        members = source.members()
    refused = {member.path: member.refused for member in members}
    assert len(refused) == len(members)
    assert refused.pop("cat/good.png") == ""
    assert len(refused) == 6
    assert all(refused.values())
