"""What a served model is: the network, the decision, bundle.json, and the code that decodes pictures and answers."""

import re
import shutil
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from darkroom.core.files import digest, file_digest, write_value
from darkroom.params.release import Package
from darkroom.params.schema import ImageParams

LIBRARY = Path(__file__).parents[1]  # src/darkroom
PREDICTOR = LIBRARY / "package" / "predictor.py"
ANSWERS = "package/answers.py"  # what the predictor loads from the bundle
REQUIREMENTS = ("keras", "mlflow", "numpy", "pandas", "pillow", "simplejpeg", "tensorflow")
SCHEMA = 2  # of bundle.json
OWN_IMPORT = re.compile(r"^(\s*from )darkroom\.([\w.]+)", re.MULTILINE)


def write_bundle(
    folder: Path, model: Path, decision: Path, classes: Sequence[str], image: ImageParams, package: Package
) -> None:
    """Write what is served to `folder`: model.keras, bundle.json and code/; the same bytes for the same content.

    bundle.json holds the classes in order, how pictures are decoded, the limits of a request and the libraries with
    their versions. `decision` is a folder of decision.saving.
    """
    folder.mkdir(parents=True)
    shutil.copyfile(model, folder / "model.keras")
    shutil.copytree(decision, folder / "decision", copy_function=shutil.copyfile)
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
    """Write the serving code of `library` to `folder`/darkroom_<digest> and return that; its imports use that name."""
    modules = serving_code(library)
    package = folder / f"darkroom_{digest(modules)[:16]}"
    for module, text in modules.items():
        (package / module).parent.mkdir(parents=True, exist_ok=True)
        (package / module).write_text(OWN_IMPORT.sub(rf"\g<1>{package.name}.\g<2>", text), encoding="utf-8")
    return package


def serving_code(library: Path) -> dict[str, str]:
    """Return {path in `library`: text} of the module that answers and of all that it imports from the library."""
    found: dict[str, str] = {}
    waiting = [ANSWERS]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = (library / module).read_text(encoding="utf-8")
            waiting += [name.replace(".", "/") + ".py" for _, name in OWN_IMPORT.findall(found[module])]
    return found


def bundle_digest(folder: Path) -> str:
    """Return the sha256, in hex, of all that decides an answer: the files of the bundle and the predictor."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    lines = [f"{name} {file_digest(path)}\n" for name, path in {**files, PREDICTOR.name: PREDICTOR}.items()]
    return sha256("".join(lines).encode()).hexdigest()
