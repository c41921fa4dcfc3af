"""Saving a network so that the same weights give the same bytes."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def save_network(network: "keras.Model", path: Path) -> None:
    """Write a .keras archive without the times that Keras and zip put into it."""
    saved = path.with_name("network.keras")  # Keras insists on the suffix
    network.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": "1980-01-01@00:00:00"}).encode()
            target.writestr(zipfile.ZipInfo(name, EPOCH), content)
    saved.unlink()


def load_network(path: Path) -> "keras.Model":
    """Read a .keras archive; for prediction only."""
    import keras

    return keras.saving.load_model(path, compile=False)
