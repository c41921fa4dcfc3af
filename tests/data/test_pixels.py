from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from darkroom.core.tables import SPLITS
from darkroom.examples.pixels import load_examples, open_pixels
from darkroom.images.decode import decode
from darkroom.images.packed import list_shards, read_pictures
from darkroom.params.schema import ImageParams
from pictures import class_files, ingested, inside, write_files

LOOK = ImageParams(size=8, resize="squash", background="white")


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
def pool():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def splits_of(ids: np.ndarray, labels: list[str], names: list[str]) -> pd.DataFrame:
    """Return a splits table of pictures that count once and alike."""
    table = pd.DataFrame({"image_id": ids, "label": labels, "split": names, "weight": 1.0, "copies": 1})
    return table.reindex(columns=list(SPLITS)).astype(SPLITS)


def caches(folder: Path) -> list[Path]:
    return sorted((folder / "pixels").glob("*.npy"))


def test_each_row_is_the_decoded_picture(images, pool, tmp_path):
    pixels = open_pixels(images, LOOK, tmp_path, pool)
    assert len(list_shards(images)) == 2
    assert pixels.array.shape == (9, 8, 8, 3) and pixels.array.dtype == np.uint8
    assert pixels.ids.tolist() == sorted(pixels.ids)
    for name, row in zip(pixels.ids, pixels.array, strict=True):
        assert np.array_equal(row, decode(read_pictures(images, [str(name)])[str(name)], **LOOK.model_dump()))


def test_the_cache_is_made_once_for_each_size(images, pool: Executor, tmp_path):
    first = open_pixels(images, LOOK, tmp_path, pool)
    made = [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in caches(tmp_path)]
    again = open_pixels(images, LOOK, tmp_path, ThreadPoolExecutor(1))
    assert [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in caches(tmp_path)] == made
    assert np.array_equal(first.array, again.array)
    assert open_pixels(images, LOOK.model_copy(update={"size": 6}), tmp_path, pool).array.shape == (9, 6, 6, 3)
    assert len(caches(tmp_path)) == 2


def test_other_pictures_have_another_cache(images, pool, tmp_path):
    open_pixels(images, LOOK, tmp_path, pool)
    ingested(write_files(tmp_path / "pets", class_files("cat", "cow")), tmp_path / "images")
    assert len(open_pixels(tmp_path / "images", LOOK, tmp_path, pool).ids) == 6
    assert len(caches(tmp_path)) == 2


def test_what_a_killed_process_left_is_not_taken(images, pool, tmp_path):
    whole = np.array(open_pixels(images, LOOK, tmp_path, pool).array)
    cache = caches(tmp_path)[0]
    cache.rename(f"{cache}.partial")
    np.lib.format.open_memmap(f"{cache}.partial", mode="r+")[:] = 0
    assert np.array_equal(open_pixels(images, LOOK, tmp_path, pool).array, whole)


def test_the_cache_cannot_be_written_to_by_mistake(images, pool, tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        open_pixels(images, LOOK, tmp_path, pool).array[0] = 0


def test_examples_are_the_rows_and_labels_of_their_split(images, pool, tmp_path):
    ids = open_pixels(images, LOOK, tmp_path, pool).ids
    labels = ["猫", "cat", "dog"] * 3
    splits = splits_of(ids, labels, ["train"] * 5 + ["validation"] * 3 + ["test"])
    with inside(tmp_path):
        data = load_examples(images, splits, LOOK, ("train", "test"), pool)
    assert list(data) == ["train", "test"]
    for name, part in data.items():
        rows = splits[splits["split"] == name]
        assert part.classes == ("cat", "dog", "猫")
        assert len(part) == len(rows) and part.labels.dtype == np.int32
        assert part.weights is None and part.copies is None and part.for_training() is part
        assert [part.classes[label] for label in part.labels] == rows["label"].tolist()
        for row, image_id in zip(part.rows, rows["image_id"], strict=True):
            assert np.array_equal(
                part.pixels[row], decode(read_pictures(images, [image_id])[image_id], **LOOK.model_dump())
            )
    assert (tmp_path / ".cache" / "pixels").is_dir()


def test_copies_and_weights_are_for_training_only(images, pool, tmp_path):
    ids = open_pixels(images, LOOK, tmp_path, pool).ids
    splits = splits_of(ids, ["cat", "dog", "猫"] * 3, ["train"] * 5 + ["test"] * 4)
    splits["copies"] = np.array([1, 0, 3, 2, 0, 1, 1, 1, 1], np.int32)
    splits.loc[:4, "weight"] = [0.5, 1, 2, 1.5, 1]
    with inside(tmp_path):
        data = load_examples(images, splits, LOOK, ("train", "test"), pool)
    assert data["train"].rows.tolist() == [0, 2, 3] and len(data["test"]) == 4
    assert data["train"].classes == data["test"].classes == ("cat", "dog", "猫")
    epoch = data["train"].for_training()
    assert epoch.rows.tolist() == [0, 2, 2, 2, 3, 3]
    assert epoch.weights.tolist() == [0.5, 2, 2, 2, 1.5, 1.5] and epoch.weights.dtype == np.float32
    assert [epoch.classes[label] for label in epoch.labels] == ["cat", "猫", "猫", "猫", "cat", "cat"]
