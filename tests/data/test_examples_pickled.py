"""Examples go to another process by the name of their file."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from darkroom.examples.pixels import Examples


def mapped(folder: Path) -> Examples:
    """Return two examples of a map of 100 kB."""
    np.save(folder / "pixels.npy", np.random.default_rng(0).integers(0, 256, (500, 8, 8, 3), np.uint8))
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return Examples(pixels, np.array([3, 400]), np.array([0, 1], np.int32), ("a", "b"), np.ones(2, np.float32))


def test_a_map_is_pickled_as_its_path(tmp_path: Path) -> None:
    examples = mapped(tmp_path)
    pickled = pickle.dumps(examples)
    opened = pickle.loads(pickled)
    assert len(pickled) < 2_000
    assert isinstance(opened.pixels, np.memmap) and np.array_equal(opened.pixels, examples.pixels)
    assert opened.rows.tolist() == [3, 400] and opened.classes == ("a", "b") and opened.copies is None


def test_a_part_of_a_map_and_an_array_are_pickled_whole(tmp_path: Path) -> None:
    whole = mapped(tmp_path)
    for pixels in (whole.pixels[:, :4], np.array(whole.pixels)):
        examples = replace(whole, pixels=pixels)
        assert np.array_equal(pickle.loads(pickle.dumps(examples)).pixels, pixels)
