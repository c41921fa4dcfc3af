"""What a served model is: the network, the decision, bundle.json, and the code that decodes pictures and answers."""

import re
import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np

from darkroom.core.errors import UserError
from darkroom.core.files import digest, file_digest, write_value
from darkroom.execution.quiet import without_collections, without_native_messages
from darkroom.graphs.agreement import write_graphs
from darkroom.images.scaling import DECODE_VERSION
from darkroom.package.version import DIGEST
from darkroom.params.release import Package
from darkroom.params.schema import ImageParams

LIBRARY = Path(__file__).parents[1]  # src/darkroom
PREDICTOR = LIBRARY / "package" / "predictor.py"
ANSWERS = "package/answers.py"  # what the predictor loads from the bundle
SHARED = ("mlflow-skinny", "numpy", "pandas", "pillow", "simplejpeg")
REQUIREMENTS = {"onnx": (*SHARED, "onnxruntime"), "keras": (*SHARED, "keras", "tensorflow")}  # of each runtime
SCHEMA = 3  # of bundle.json
OWN_IMPORT = re.compile(r"^(\s*from )darkroom\.([\w.]+)", re.MULTILINE)


def write_bundle(
    folder: Path,
    model: Path,
    decision: Path,
    classes: Sequence[str],
    image: ImageParams,
    package: Package,
    pixels: Callable[[], np.ndarray],
) -> dict[str, str]:
    """Write what is served to `folder`; the same bytes for the same content. Return what runs it, and why.

    That is model.keras, ONNX graphs where ONNX Runtime serves (agreement.write_graphs compares them with Keras on
    what `pixels` returns; it is called for that only), the `decision` (a folder of decision.saving), code/, and
    bundle.json: the classes in order, how pictures are decoded, the limits of a request, the runtime and the libraries
    with their versions. A file with the digest of all of them comes last.
    """
    folder.mkdir(parents=True)
    shutil.copyfile(model, folder / "model.keras")
    shutil.copytree(decision, folder / "decision", copy_function=shutil.copyfile)
    runtime = {"runtime": "keras"} if package.runtime == "keras" else _write_graphs(folder, pixels)
    write_value(folder / "bundle.json", _facts(classes, image, package, runtime), ".json")
    write_code(folder / "code", LIBRARY)
    (folder / DIGEST).write_text(bundle_digest(folder) + "\n", encoding="utf-8")
    return runtime


def _facts(classes: Sequence[str], image: ImageParams, package: Package, runtime: dict[str, str]) -> dict[str, object]:
    """Return what stands in bundle.json."""
    return {
        "schema": SCHEMA,
        "classes": list(classes),
        "image": image.model_dump(),
        "decoding": DECODE_VERSION,
        "limits": package.limits.model_dump(),
        "requirements": [f"{name}=={version(name)}" for name in REQUIREMENTS[runtime["runtime"]]],
        **runtime,
    }


def _write_graphs(folder: Path, pixels: Callable[[], np.ndarray]) -> dict[str, str]:
    """Write the graphs of the bundle's network; return the runtime, and for Keras the reason.

    Raises UserError when the network takes pictures of another size than `pixels`.
    """
    with without_native_messages(), without_collections():
        import keras

    network, pictures = keras.saving.load_model(folder / "model.keras", compile=False), pixels()
    if (side := network.input_shape[1]) != (size := pictures.shape[1]):
        raise UserError(f"the model takes {side} pixels a side, image.size is {size}: run `dvc repro --force train`")
    reason = write_graphs(folder, network, pictures)
    return {"runtime": "keras", "runtime_reason": reason} if reason else {"runtime": "onnx"}


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
    """Return the sha256, in hex, of all that decides an answer: the bundle's files and the predictor."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files.pop(DIGEST, None)
    lines = [f"{name} {file_digest(path)}\n" for name, path in {**files, PREDICTOR.name: PREDICTOR}.items()]
    return sha256("".join(lines).encode()).hexdigest()
