import os
import pickle
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.core.tables import SPLITS
from darkroom.examples import pixel_cache
from darkroom.examples.pixel_cache import LIBRARIES, open_pixels
from darkroom.examples.pixels import load_examples
from darkroom.images.decode import decode
from darkroom.images.limits import UnreadablePicture
from darkroom.images.packed import list_shards, read_pictures, write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.params.schema import ImageParams
from pictures import class_files, ingested, inside, write_files

PARAMS = ImageParams(size=8, resize="squash", background="white", depth="auto")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    for number, pets in enumerate((class_files("cat", "dog"), class_files("猫"))):
        ingested(write_files(root / f"pets{number}", pets), root / "part")
        (root / "part" / "part-00000.parquet").rename(root / "images" / f"part-{number:05d}.parquet")
        (root / "part").rmdir()
    return root / "images"


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def splits_of(ids: np.ndarray, labels: list[str], names: list[str]) -> pd.DataFrame:
    """Return a splits table of pictures that count once and alike."""
    table = pd.DataFrame({"image_id": ids, "label": labels, "split": names, "weight": 1.0, "copies": 1})
    return table.reindex(columns=list(SPLITS)).astype(SPLITS)


def caches(folder: Path) -> list[tuple[str, int, int]]:
    """Return the maps: name, bytes, when written."""
    files = sorted((folder / "pixels").glob("*.pixels"))
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]


def decoded(images: Path, ids: np.ndarray, image_params: ImageParams = PARAMS) -> np.ndarray:
    pictures = read_pictures(images, ids.tolist())
    return np.stack([decode(pictures[name], **image_params.model_dump()) for name in ids.tolist()])


class Counting(ThreadPoolExecutor):
    """Threads that count what they decode."""

    def __init__(self) -> None:
        super().__init__(2)
        self.pictures = 0

    def submit(self, work: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.pictures += len(work.args[1])
        return super().submit(work, *arguments, **options)


def test_each_row_is_the_decoded_picture(images: Path, pool: Executor, tmp_path: Path) -> None:
    pixels = open_pixels(images, PARAMS, tmp_path, pool)
    assert len(list_shards(images)) == 2 and len(pixels) == 9
    assert pixels.ids.tolist() == sorted(pixels.ids)
    assert pixels[:].dtype == np.uint8 and pixels[0].shape == (8, 8, 3)
    assert np.array_equal(pixels[:], decoded(images, pixels.ids))
    rows = np.array([5, 0, 5])
    assert np.array_equal(pixels[rows], pixels[:][rows])


def test_the_cache_is_made_once_for_each_size(images: Path, pool: Executor, tmp_path: Path) -> None:
    first = open_pixels(images, PARAMS, tmp_path, pool)
    made = caches(tmp_path)
    again = open_pixels(images, PARAMS, tmp_path, (counting := Counting()))
    assert caches(tmp_path) == made and counting.pictures == 0
    assert np.array_equal(first[:], again[:])
    assert open_pixels(images, PARAMS.model_copy(update={"size": 6}), tmp_path, pool)[:].shape == (9, 6, 6, 3)
    assert len(caches(tmp_path)) == 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_decodes_again(
    images: Path, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    open_pixels(images, PARAMS, tmp_path, pool)
    monkeypatch.setattr(pixel_cache, "version", lambda name: "99" if name == library else version(name))
    open_pixels(images, PARAMS, tmp_path, (counting := Counting()))
    assert counting.pictures == 9 and len(caches(tmp_path)) == 2


def test_new_pictures_alone_are_decoded(images: Path, pool: Executor, tmp_path: Path) -> None:
    before = open_pixels(images, PARAMS, tmp_path, pool)
    known = before[:].copy()
    more = shutil.copytree(images, tmp_path / "images")
    ingested(write_files(tmp_path / "pets", class_files("ant", "zebra", each=1)), tmp_path / "new")
    (tmp_path / "new" / "part-00000.parquet").rename(more / "part-00002.parquet")
    after = open_pixels(more, PARAMS, tmp_path, (counting := Counting()))
    assert counting.pictures == 2 and len(caches(tmp_path)) == 1
    assert len(after) == 11 and after.ids.tolist() == sorted(after.ids)
    assert np.array_equal(after[:], decoded(more, after.ids))
    assert np.array_equal(before[:], known)  # in a process that reads meanwhile
    # what was decoded before leaves no trace in the rows, which choose how a picture is varied
    fresh = open_pixels(more, PARAMS, tmp_path / "fresh", pool)
    assert np.array_equal(fresh.ids, after.ids) and np.array_equal(fresh[:], after[:])
    assert np.array_equal(open_pixels(images, PARAMS, tmp_path, Counting())[:], known)


def test_what_a_killed_process_left_is_not_taken(images: Path, pool: Executor, tmp_path: Path) -> None:
    whole = open_pixels(images, PARAMS, tmp_path, pool)[:].copy()
    (cache,) = (tmp_path / "pixels").glob("*.pixels")
    cache.with_suffix(".ids").unlink()
    cache.write_bytes(bytes(cache.stat().st_size // 2))
    (folder := cache.with_suffix(".decoded")).mkdir()
    (folder / "part-00000-0123.4567.partial").write_bytes(b"half")
    assert np.array_equal(open_pixels(images, PARAMS, tmp_path, pool)[:], whole)
    assert sorted(path.suffix for path in cache.parent.iterdir()) == [".ids", ".lock", ".pixels"]


def test_what_was_decoded_before_a_stop_is_kept(
    images: Path, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, decoded = open_pixels(images, PARAMS, tmp_path / "other", pool)[:].copy(), list[bytes]()

    def noted(data: bytes, **options: Any) -> np.ndarray:
        decoded.append(data)
        return decode(data, **options)

    monkeypatch.setattr("darkroom.images.decode.decode", noted)

    class Stopped(Counting):
        def submit(self, work: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            if self.pictures:
                raise KeyboardInterrupt
            return super().submit(work, *arguments, **options)

    with pytest.raises(KeyboardInterrupt), Stopped() as stopped:
        open_pixels(images, PARAMS, tmp_path, stopped)
    assert 0 < len(decoded) < 9
    assert np.array_equal(open_pixels(images, PARAMS, tmp_path, pool)[:], whole)
    assert len(decoded) == 9


def test_a_map_that_was_cut_is_made_again(images: Path, pool: Executor, tmp_path: Path) -> None:
    whole = open_pixels(images, PARAMS, tmp_path, pool)[:].copy()
    (cache,) = (tmp_path / "pixels").glob("*.pixels")
    os.truncate(cache, 100)
    assert np.array_equal(open_pixels(images, PARAMS, tmp_path, pool)[:], whole)


def test_a_picture_that_does_not_decode_leaves_the_map_as_it_was(images: Path, pool: Executor, tmp_path: Path) -> None:
    whole = open_pixels(images, PARAMS, tmp_path, pool)[:].copy()
    made, more = caches(tmp_path), shutil.copytree(images, tmp_path / "images")
    write_shard(more / "part-00002.parquet", [("0" * 20, b"not an image", bytes(THUMBNAIL_BYTES))])
    with pytest.raises(UnreadablePicture):
        open_pixels(more, PARAMS, tmp_path, pool)
    assert caches(tmp_path) == made
    assert np.array_equal(open_pixels(images, PARAMS, tmp_path, Counting())[:], whole)


def test_the_cache_cannot_be_written_to_by_mistake(images: Path, pool: Executor, tmp_path: Path) -> None:
    pixels = open_pixels(images, PARAMS, tmp_path, pool)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0][:] = 0


def test_a_pickle_holds_the_name_of_the_map(images: Path, pool: Executor, tmp_path: Path) -> None:
    pixels = open_pixels(images, PARAMS.model_copy(update={"size": 32}), tmp_path, pool)
    pickled = pickle.dumps(pixels)
    assert len(pickled) < pixels[0].nbytes
    again = pickle.loads(pickled)
    assert np.array_equal(again.ids, pixels.ids) and np.array_equal(again[:], pixels[:])


def test_a_picture_that_is_missing_is_not_replaced_by_its_neighbour(
    images: Path, pool: Executor, tmp_path: Path
) -> None:
    ids = open_pixels(images, PARAMS, tmp_path, pool).ids.copy()
    ids[4] = missing = ids[4][:-1] + "~"
    splits = splits_of(ids, ["cat"] * 5 + ["dog"] * 4, ["train"] * 8 + ["test"])
    expected = rf"data/images lacks 1 of the pictures .* data/splits.parquet .*{missing}.*dvc repro"
    with inside(tmp_path), pytest.raises(UserError, match=expected):
        load_examples(images, splits, PARAMS, ("train", "test"), pool)


def test_examples_are_the_rows_and_labels_of_their_split(images: Path, pool: Executor, tmp_path: Path) -> None:
    ids = open_pixels(images, PARAMS, tmp_path, pool).ids
    labels = ["猫", "cat", "dog"] * 3
    splits = splits_of(ids, labels, ["train"] * 5 + ["validation"] * 3 + ["test"])
    with inside(tmp_path):
        data = load_examples(images, splits, PARAMS, ("train", "test"), pool)
    assert list(data) == ["train", "test"]
    for name, part in data.items():
        rows = splits[splits["split"] == name]
        assert part.classes == ("cat", "dog", "猫")
        assert len(part) == len(rows) and part.labels.dtype == np.int32
        assert part.weights is None and part.copies is None and part.for_training() is part
        assert [part.classes[label] for label in part.labels] == rows["label"].tolist()
        assert part.image_ids.tolist() == rows["image_id"].tolist()
        assert np.array_equal(part.pixels[part.rows], decoded(images, part.image_ids))
    assert (tmp_path / ".cache" / "pixels").is_dir()


def test_copies_and_weights_are_for_training_only(images: Path, pool: Executor, tmp_path: Path) -> None:
    ids = open_pixels(images, PARAMS, tmp_path, pool).ids
    splits = splits_of(ids, ["cat", "dog", "猫"] * 3, ["train"] * 5 + ["test"] * 4)
    splits["copies"] = np.array([1, 0, 3, 2, 0, 1, 1, 1, 1], np.int32)
    splits.loc[:4, "weight"] = [0.5, 1, 2, 1.5, 1]
    with inside(tmp_path):
        data = load_examples(images, splits, PARAMS, ("train", "test"), pool)
    assert data["train"].rows.tolist() == [0, 2, 3] and len(data["test"]) == 4
    assert data["train"].classes == data["test"].classes == ("cat", "dog", "猫")
    epoch = data["train"].for_training()
    assert epoch.weights is not None
    assert epoch.rows.tolist() == [0, 2, 2, 2, 3, 3]
    assert epoch.weights.tolist() == [0.5, 2, 2, 2, 1.5, 1.5] and epoch.weights.dtype == np.float32
    assert [epoch.classes[label] for label in epoch.labels] == ["cat", "猫", "猫", "猫", "cat", "cat"]
