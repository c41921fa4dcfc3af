"""What a served model consists of: the network, its classes, how pictures are decoded, and the code that does it."""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from darkroom.core.files import file_digest, write_value
from darkroom.params.schema import ImageParams

PACKAGE = Path(__file__).parents[1]  # src/darkroom
# the modules that package/predictor.py needs; a test compares this with what it really imports
SERVING_CODE = (
    "__init__.py",
    "images/__init__.py",
    "images/decode.py",
    "execution/__init__.py",
    "execution/quiet.py",
    "package/__init__.py",
    "package/requests.py",
)
PREDICTOR = PACKAGE / "package" / "predictor.py"


def write_bundle(folder: Path, model: Path, reports: dict[str, Any], image: ImageParams) -> None:
    """Write the network and bundle.json (classes in order, how pictures are decoded) to `folder`; no time, no path."""
    folder.mkdir(parents=True)
    shutil.copyfile(model, folder / "model.keras")
    write_value(folder / "bundle.json", {"classes": reports["train"]["classes"], "image": image.model_dump()}, ".json")


def copy_code(folder: Path) -> Path:
    """Copy the serving code to `folder`/darkroom and return it; a model keeps its own preprocessing for ever."""
    for name in SERVING_CODE:
        target = folder / "darkroom" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, target)
    return folder / "darkroom"


def bundle_digest(folder: Path) -> str:
    """Return the sha256 of what the project itself gives to an answer: the bundle's files and the serving code."""
    files = [*sorted(folder.iterdir()), *(PACKAGE / name for name in SERVING_CODE), PREDICTOR]
    return sha256("".join(f"{file.name} {file_digest(file)}\n" for file in files).encode()).hexdigest()
