"""Where the ImageNet weights of a backbone are found: Keras's cache, data/weights/, the internet."""

import io
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.models.backbone_table import LOCAL_NAMES, SIZES, WEIGHTS, WEIGHTS_ADDRESS, WIDTHS
from darkroom.models.backbones import FOLDER, build_backbone, load_fitting

if TYPE_CHECKING:
    import keras

SECONDS = 10.0  # of silence, after which a download is given up
STANDARD = 224  # pixels of the pictures that most weights were trained on
logger = logging.getLogger(__name__)


@dataclass
class Internet:
    """Where weights are downloaded from, until a download has failed."""

    reachable: bool = True

    def fetch(self, file: Path, address: str) -> bool:
        """Download a file to Keras's cache and return whether that succeeded."""
        self.reachable = self.reachable and _fetch(file, address)
        return self.reachable


def find_weights(architecture: str, width: float, folder: Path, size: int, internet: Internet) -> str:
    """Return the value for model.weights with which a backbone starts from ImageNet weights; "" when none are there.

    That is "imagenet" when Keras has their file for pictures of `size` pixels, or has fetched it now; before it asks
    the internet, the name of a file in `folder` that fits.
    """
    address = weights_address(architecture, width, size)
    if address and _is_whole(_cached(architecture, address)):
        return "imagenet"
    if own := _fitting_file(architecture, width, folder, size):
        return own
    return "imagenet" if address and internet.fetch(_cached(architecture, address), address) else ""


def weights_address(architecture: str, width: float, size: int = STANDARD) -> str:
    """Return the web address of the ImageNet weights that Keras takes; "" for a width that was never trained."""
    widths = WIDTHS.get(architecture, {width: ""})
    if width not in widths:
        return ""
    side = size if size in SIZES.get(architecture, ()) else STANDARD
    return WEIGHTS_ADDRESS + WEIGHTS[architecture].format(width=widths[width], size=side)


def how_to_get_weights(architecture: str, width: float, size: int = STANDARD) -> str:
    """Return a sentence that names the file to fetch and where to put it."""
    name = architecture + (f" of width {width:g}" if architecture in WIDTHS else "")
    address = weights_address(architecture, width, size)
    if not address:
        return f"nobody has published ImageNet weights for {name}"
    return f"the ImageNet weights of {name} are not available: fetch {address} and put it into {FOLDER}/"


def _cached(architecture: str, address: str) -> Path:
    """Return where Keras keeps the file of `address`."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "models" / LOCAL_NAMES.get(architecture, address.rsplit("/", 1)[1])


def _is_whole(file: Path) -> bool:
    """Return whether a file is there and not cut off, as a download that was killed leaves it."""
    import h5py

    try:
        with h5py.File(file):
            return True
    except OSError:
        return False


def _fitting_file(architecture: str, width: float, folder: Path, size: int) -> str:
    """Return the name of the first file of weights in `folder` that the backbone takes; "" when there is none."""
    files = sorted(folder.glob("*.h5"))
    if not files:
        return ""
    backbone = build_backbone(architecture, width, (size, size, 3))
    return next((file.name for file in files if _fits(backbone, file)), "")


def _fits(backbone: "keras.Model", file: Path) -> bool:
    try:
        load_fitting(backbone, file)
    except (OSError, ValueError, KeyError):  # h5py's, and Keras's for layers that are not there
        return False
    return True


def _fetch(file: Path, address: str) -> bool:
    import keras

    logger.info("downloading %s", address)
    try:
        with _socket_timeout(), redirect_stdout(io.StringIO()):  # Keras draws its progress
            keras.utils.get_file(file.name, address, cache_subdir="models", force_download=True)
    except Exception as error:  # Keras raises a plain Exception when a download fails
        reason = str(error).removeprefix(f"URL fetch failure on {address}: ").removeprefix("None -- ")
        logger.info("the download failed: %s", " ".join(reason.split())[:200])
        return False
    if not (whole := _is_whole(file)):  # such as the page of a network that wants a login
        file.unlink(missing_ok=True)
        logger.info("the download failed: not a weights file, perhaps a login page")
    return whole


@contextmanager
def _socket_timeout() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
