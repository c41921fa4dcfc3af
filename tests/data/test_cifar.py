import io
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.core.errors import UserError
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_source
from pictures import ANY, write_tar

LABELS = ["airplane", "cat"]


def python_2(value: object) -> bytes:
    """Return the pickle opcodes that Python 2 and its numpy write for a value, in protocol 2."""
    if isinstance(value, str):
        return b"U" + bytes([len(value)]) + value.encode("latin-1")
    if isinstance(value, int):
        return b"K" + bytes([value])
    if isinstance(value, list):
        return b"](" + b"".join(python_2(item) for item in value) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(python_2(key) + python_2(item) for key, item in value.items()) + b"u"
    assert isinstance(value, np.ndarray)
    dtype = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"M" + struct.pack("<H", len(value)) + b"M" + struct.pack("<H", value.shape[1]) + b"\x86"
    data = b"T" + struct.pack("<I", value.size) + value.tobytes()
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return empty + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


def batch(seed: int, key: str = "labels", count: int = 4) -> tuple[bytes, np.ndarray]:
    """Return the file of a batch and its pixels (count, 3072)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)
    names = [f"tabby_s_{seed}{number % 3}.png" for number in range(count)]  # the first and the last are the same
    content = {"data": pixels, key: [n % 2 for n in range(count)], "batch_label": f"batch {seed}", "filenames": names}
    return b"\x80\x02" + python_2(content) + b".", pixels


def meta(key: str) -> bytes:
    return b"\x80\x02" + python_2({"num_vis": 7, key: LABELS}) + b"."


@pytest.fixture
def cifar_10(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "batches.meta").write_bytes(meta("label_names"))
    (folder / "readme.html").write_bytes(b"<html>")
    for number in range(1, 6):
        (folder / f"data_batch_{number}").write_bytes(batch(number)[0])
    (folder / "test_batch").write_bytes(batch(9)[0])
    return folder


def listed(path: Path) -> tuple[list[Entry], list[np.ndarray]]:
    """Return the entries and the pixels (32, 32, 3) of each."""
    with open_source(path, "here") as source:
        copy = pickle.loads(pickle.dumps(source))
        entries = list_entries(source, ANY)[0]
        files = [copy.read(entry.location) for entry in entries]
    assert all(file.startswith(b"\x89PNG") for file in files)
    return entries, [np.asarray(Image.open(io.BytesIO(file))) for file in files]


@pytest.mark.parametrize("kind", ["folder", "tar.gz"])
def test_cifar_10_as_published(cifar_10: Path, tmp_path: Path, kind: str) -> None:
    packed = write_tar(tmp_path, tmp_path.parent / f"{tmp_path.name}.tar.gz", "gz")
    entries, pictures = listed(packed if kind == "tar.gz" else cifar_10)
    assert len({entry.path for entry in entries}) == len(entries) == 24
    assert [entry.given_split for entry in entries] == ["train"] * 20 + ["test"] * 4
    first = entries[0]
    assert (first.path, first.label) == ("data_batch_1/airplane/00000_tabby_s_10.png", "airplane")
    last = next(number for number, entry in enumerate(entries) if entry.path == "test_batch/cat/00003_tabby_s_90.png")
    assert (pictures[last] == batch(9)[1][3].reshape(3, 32, 32).transpose(1, 2, 0)).all()
    assert (pictures[0][0, :, 0] == batch(1)[1][0][:32]).all()  # the first row of red comes first


def test_cifar_100_as_published(tmp_path: Path) -> None:
    for name, content in {"meta": meta("fine_label_names"), "file.txt~": b""}.items():
        (tmp_path / name).write_bytes(content)
    for name, seed in (("train", 1), ("test", 2)):
        (tmp_path / name).write_bytes(batch(seed, "fine_labels")[0])
    entries, pictures = listed(tmp_path)
    assert [(entry.label, entry.given_split) for entry in entries[:4]] == [("airplane", "test")] * 2 + [
        ("cat", "test")
    ] * 2
    assert (len(entries), pictures[0].shape) == (8, (32, 32, 3))


def test_a_batch_written_by_python_3_is_read_too(cifar_10: Path) -> None:
    content = {b"data": batch(9)[1], b"labels": [0, 1, 0, 1], b"filenames": [b"\xe9.png", b"b", b"c", b"d"]}
    for protocol in (2, 4):
        (cifar_10 / "test_batch").write_bytes(pickle.dumps(content, protocol))
        assert len(listed(cifar_10)[0]) == 24


def test_a_pickle_that_would_run_something_is_refused_unrun(cifar_10: Path, tmp_path: Path) -> None:
    command = f"touch {tmp_path}/harmed"
    harmful = b"\x80\x02cos\nsystem\n" + python_2(command) + b"\x85R."
    pickletools.dis(harmful, io.StringIO())  # else the test would prove nothing
    for name in ("data_batch_3", "batches.meta"):
        (cifar_10 / name).write_bytes(harmful)
        with pytest.raises(UserError, match=r"^params.yaml: .* holds more than arrays: os\.system; it may be harmful"):
            listed(cifar_10)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"data": np.zeros((4, 3071), np.uint8), "labels": [0] * 4, "filenames": ["a"] * 4},
        {"data": np.zeros((4, 3072), np.uint8), "labels": [0] * 3, "filenames": ["a"] * 4},
        {"data": np.zeros((4, 3072), np.uint8), "labels": [2] * 4, "filenames": ["a"] * 4},
        {"data": np.zeros((4, 3072), np.uint8), "labels": [0] * 4},
        {},
        ["no mapping"],
    ],
)
def test_a_batch_of_other_content_is_said(cifar_10: Path, content: dict[str, Any] | list[str]) -> None:
    (cifar_10 / "test_batch").write_bytes(b"\x80\x02" + python_2(content) + b".")
    with pytest.raises(UserError, match="a batch of CIFAR"):
        listed(cifar_10)


def test_no_damage_ends_in_a_traceback(cifar_10: Path) -> None:
    data = (cifar_10 / "test_batch").read_bytes()
    for place in [*range(0, 200, 7), *range(200, len(data), 1500)]:
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]):
            (cifar_10 / "test_batch").write_bytes(damaged)
            try:
                assert len(listed(cifar_10)[0]) == 24
            except UserError as error:
                assert "\n" not in str(error)
