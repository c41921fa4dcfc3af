"""Saving a network so that the same weights give the same bytes."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def save_network(network: "keras.Model", path: Path) -> None:
    """Write a .keras archive without what differs from save to save: times, and the addresses of objects in memory."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "saved.keras")  # Keras demands the suffix
        network.save(saved)
        _copy_reproducible(saved, path)


def _copy_reproducible(saved: Path, path: Path) -> None:
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": "1980-01-01@00:00:00"}).encode()
            elif name == "config.json":
                content = json.dumps(_renumbered(json.loads(content), {})).encode()
            target.writestr(zipfile.ZipInfo(name, EPOCH), content)


def load_network(path: Path) -> "keras.Model":
    """Read a .keras archive, for prediction only."""
    import keras

    return keras.saving.load_model(path, compile=False)


def _renumbered(config: Any, numbers: dict[int, int]) -> Any:
    """Return a Keras configuration whose shared objects are numbered in the order in which they appear."""
    if isinstance(config, list):
        return [_renumbered(item, numbers) for item in config]
    if not isinstance(config, dict):
        return config
    renumbered = {key: _renumbered(value, numbers) for key, value in config.items()}
    if renumbered.get("shared_object_id") is not None:
        renumbered["shared_object_id"] = numbers.setdefault(config["shared_object_id"], len(numbers) + 1)
    return renumbered
