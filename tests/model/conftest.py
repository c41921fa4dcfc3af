"""TensorFlow is started once for all tests of this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkroom.examples.runtime import start_tensorflow
from easy import examples

if TYPE_CHECKING:
    from app_server import App


@pytest.fixture(scope="session", autouse=True)
def tensorflow() -> None:
    start_tensorflow(2)


@pytest.fixture(scope="module", autouse=True)
def free_memory() -> Iterator[None]:
    """Let go of the graphs that the tests of a file traced: some megabytes for each training."""
    yield
    import keras

    keras.utils.clear_session()


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights of a small MobileNet without its top, drawn by chance.

    Its normalisations know what comes in: else nothing would come out at the end.
    """
    import keras

    keras.utils.set_random_seed(5)
    folder = tmp_path_factory.mktemp("weights")
    network = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(examples(64, 4, side=32).pixels[:] / 127.5 - 1, training=True)
    network.save_weights(folder / "small.weights.h5")
    return folder


@pytest.fixture
def given_weights(pretrained: Path, tmp_path: Path) -> Path:
    """A copy of that folder that a test may change."""
    return Path(shutil.copytree(pretrained, tmp_path / "weights"))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from app_server import bundle_of

    return bundle_of(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="session")
def turned(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of another version, which takes red for blue: the same network, its classes in another order."""
    from app_server import renamed

    return renamed(bundle, tmp_path_factory.mktemp("second") / "bundle")


@pytest.fixture
def photo_folder(tmp_path: Path, bundle: Path) -> Iterator[Path]:
    """The working directory of `darkroom predict`: models/ with the bundle, and photos/."""
    from pictures import inside
    from predicting import write_photos

    shutil.copytree(bundle, tmp_path / "models" / "bundle")
    write_photos(tmp_path / "photos")
    with inside(tmp_path):
        yield tmp_path


@pytest.fixture(scope="module")
def app(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["App"]:
    from app_server import RED, running

    folder = tmp_path_factory.mktemp("app")
    (folder / "example.png").write_bytes(RED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{folder / 'traffic.db'}")
        with running(bundle, folder) as found:
            yield found
