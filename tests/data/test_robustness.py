"""Accuracy under corruptions, consistency, and pictures of something else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from darkroom.core.errors import UserError
from darkroom.corruption.robustness import consistency, measure_corruptions, summarise_robustness
from darkroom.evaluate.other_data import read_other, separation
from defaults import default_params
from pictures import encode, noise, write_files, write_zip

IMAGE = default_params().image.model_copy(update={"size": 12, "resize": "squash"})
PICTURES = {f"deep/er/{name}.png": encode(noise(name)) for name in "abcdefghij"}
TEXTS = {f"deep/er/{name}.txt": b"a box" for name in "abcdefghij"}
HIDDEN = {"__MACOSX/x.png": encode(noise("x")), ".hidden/y.png": encode(noise("y"))}


def left_is_brighter(pixels: np.ndarray) -> np.ndarray:
    """Return the probabilities (n, 2) of a model that compares the halves."""
    half = pixels.shape[2] // 2
    left, right = (part.mean(axis=(1, 2, 3)) for part in (pixels[:, :, :half], pixels[:, :, half:]))
    return np.stack([left <= right, left > right], axis=1).astype(np.float32)


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of which every other one is a little brighter on the left, and whether it is."""
    labels = np.arange(count) % 2
    pixels = np.full((count, 16, 16, 3), 120, np.uint8)
    pixels[labels == 1, :, :8] += 3
    pixels[labels == 0, :, 8:] += 3
    return pixels, labels


def test_what_drowns_a_difference_costs_accuracy_and_what_keeps_it_does_not() -> None:
    pixels, labels = halves(40)
    table = measure_corruptions(left_is_brighter, pixels, labels, ["brightness", "fog"], 16)
    assert list(table.columns) == ["kind", "severity", "accuracy"] and list(table["severity"]) == [1, 2, 3, 4, 5] * 2
    assert (table["accuracy"][:5] == 1).all() and table["accuracy"][9] < 0.9
    assert measure_corruptions(left_is_brighter, pixels, labels, ["brightness", "fog"], 7).equals(table)


def test_the_summary_is_relative_to_clean() -> None:
    table = pd.DataFrame({"kind": ["fog", "fog"], "severity": [1, 2], "accuracy": [0.8, 0.4]})
    assert summarise_robustness(table, 0.8) == {
        "clean": 0.8,
        "mean": pytest.approx(0.6),
        "relative": pytest.approx(0.75),
    }
    assert summarise_robustness(table, 0.0)["relative"] is None
    assert summarise_robustness(table[:0], 0.8) == {"clean": 0.8, "mean": None, "relative": None}


def test_consistency_counts_what_stays() -> None:
    assert consistency(left_is_brighter, halves(10)[0], 4) == {"flip": 0.0, "shift": 1.0}

    def top_row_is_bright(pixels: np.ndarray) -> np.ndarray:
        bright = pixels[:, 0].mean(axis=(1, 2)) > 100
        return np.stack([~bright, bright], axis=1)

    lines = np.zeros((4, 32, 32, 3), np.uint8)
    lines[:, :2] = 200  # two pixels is how far it is shifted: gone only when moved up
    assert consistency(top_row_is_bright, lines, 3) == {"flip": 1.0, "shift": 0.75}


@pytest.mark.parametrize("packed", [False, True])
def test_other_pictures_are_read_from_a_folder_or_a_zip(tmp_path: Path, packed: bool) -> None:
    broken = {"deep/er/c.png": b"not a picture", "deep/broken.jpg": b"\xff\xd8\xff"}
    source = write_files(tmp_path / "other", PICTURES | TEXTS | HIDDEN | broken)
    found = read_other(write_zip(source, tmp_path / "other.zip") if packed else source, IMAGE, 100)
    assert np.array_equal(found, np.stack([np.asarray(noise(name)) for name in "abdefghij"]))


def test_of_many_other_pictures_some_are_taken_evenly_texts_beside_them_or_not(tmp_path: Path) -> None:
    names = [f"{number:02d}" for number in range(40)]
    pictures, texts = (
        {f"{name}.png": encode(noise(name)) for name in names},
        {f"{name}.txt": b"a box" for name in names},
    )
    places = {np.asarray(noise(name)).tobytes(): place for place, name in enumerate(names)}
    found = read_other(write_files(tmp_path / "other", pictures | texts), IMAGE, 10)
    taken = [places[picture.tobytes()] for picture in found]
    assert len(taken) == 10 and max(np.diff([-1, *taken, 40])) <= 8


def test_other_data_that_is_not_there_is_the_user_s_mistake(tmp_path: Path) -> None:
    source = write_files(tmp_path / "other", TEXTS | {"whole.zip": b"PK"})
    for path, message in (("othr", "does not exist"), ("other", "no picture"), ("other/whole.zip", "neither a folder")):
        with pytest.raises(UserError, match=rf"evaluate\.other_data = '{Path(path).name}': .*{message}"):
            read_other(source.parent / path, IMAGE, 5)


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    assert separation(np.array([0.1, 0.4]), np.array([0.3, 0.9, 0.8])) == pytest.approx(5 / 6)
