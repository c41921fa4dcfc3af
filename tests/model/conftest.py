"""TensorFlow is started once for all tests of this folder."""

from pathlib import Path

import pytest

from darkroom.training.runtime import start_tensorflow


@pytest.fixture(scope="session", autouse=True)
def tensorflow() -> None:
    start_tensorflow(2)


@pytest.fixture
def given_weights(tmp_path: Path) -> Path:
    """A folder with the weights of a small MobileNet without its top, drawn by chance."""
    import keras

    keras.utils.set_random_seed(5)
    folder = tmp_path / "weights"
    folder.mkdir()
    network = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(folder / "small.weights.h5")
    return folder
