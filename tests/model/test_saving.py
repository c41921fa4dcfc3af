import zipfile
from pathlib import Path

import keras
import numpy as np

from darkroom.examples.saving import load_network, save_network
from darkroom.models.architecture import build_network
from easy import model_params

PARAMS = model_params(dropout=0.3)


def seeded(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_network(PARAMS, 8, 3)


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    network = seeded(1)
    files = [tmp_path / name for name in ("a.keras", "b.keras", "c.keras", "d.keras")]
    save_network(network, files[0])
    save_network(network, files[1])
    save_network(seeded(1), files[2])
    save_network(seeded(2), files[3])
    saved = [file.read_bytes() for file in files]
    assert saved[0] == saved[1] == saved[2]
    assert saved[0] != saved[3]


def test_a_loaded_network_answers_the_same(tmp_path: Path) -> None:
    network = seeded(1)
    save_network(network, tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    assert np.array_equal(network(pixels), loaded(pixels))
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in network.layers]


def test_nothing_else_is_left_and_no_time_is_in_it(tmp_path: Path) -> None:
    save_network(seeded(1), tmp_path / "model.keras.partial")  # the name under which a stage writes
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras.partial"]
    with zipfile.ZipFile(tmp_path / "model.keras.partial") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert "1980-01-01" in archive.read("metadata.json").decode()
