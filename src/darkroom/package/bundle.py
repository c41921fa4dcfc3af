"""What a served model consists of: the network, bundle.json, and the code that decodes pictures and answers."""

import re
import shutil
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from darkroom.core.files import digest, file_digest, write_value
from darkroom.params.schema import Image, Package

LIBRARY = Path(__file__).parents[1]  # src/darkroom
PREDICTOR = LIBRARY / "package" / "predictor.py"
# what package/answers.py imports; a test compares this with what it really imports
SERVING_CODE = (
    "images/convert.py",
    "images/decode.py",
    "images/limits.py",
    "package/answers.py",
    "package/engine.py",
    "package/requests.py",
)
REQUIREMENTS = ("keras", "mlflow", "numpy", "pandas", "pillow", "simplejpeg", "tensorflow")
SCHEMA = 1  # of bundle.json
OWN_IMPORT = re.compile(r"^(\s*(?:from|import) )darkroom\b", re.MULTILINE)


def write_bundle(folder: Path, model: Path, classes: Sequence[str], image: Image, package: Package) -> None:
    """Write what is served to `folder`: model.keras, bundle.json and code/; the same bytes for the same content.

    bundle.json holds the classes in order, how pictures are decoded, the limits of a request and the libraries with
    their versions.
    """
    folder.mkdir(parents=True)
    shutil.copyfile(model, folder / "model.keras")
    facts = {
        "schema": SCHEMA,
        "classes": list(classes),
        "image": image.model_dump(),
        "limits": package.limits.model_dump(),
        "requirements": [f"{name}=={version(name)}" for name in REQUIREMENTS],
    }
    write_value(folder / "bundle.json", facts, ".json")
    write_code(folder / "code", LIBRARY)


def write_code(folder: Path, library: Path) -> Path:
    """Copy the serving code of `library` to `folder`/darkroom_<digest> and return that; its imports say that name."""
    texts = {module: (library / module).read_text(encoding="utf-8") for module in SERVING_CODE}
    package = folder / f"darkroom_{digest(texts)[:16]}"
    for module, text in texts.items():
        (package / module).parent.mkdir(parents=True, exist_ok=True)
        (package / module).write_text(OWN_IMPORT.sub(rf"\g<1>{package.name}", text), encoding="utf-8")
    return package


def bundle_digest(folder: Path) -> str:
    """Return the sha256, in hex, of all that decides an answer: the files of the bundle and the predictor."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    lines = [f"{name} {file_digest(path)}\n" for name, path in {**files, PREDICTOR.name: PREDICTOR}.items()]
    return sha256("".join(lines).encode()).hexdigest()
